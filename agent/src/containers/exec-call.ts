import type { Clock } from '@ai-fabric/shared';
import { z } from 'zod';
import type { ExecResult } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { noFrameRest, splitLogFrames } from './decide/split-log-frames.js';
import { type EngineCall, type EngineCalls, LOOK_DEADLINE_MS, segment } from './engine-calls.js';

/** `nvidia-smi` takes seconds where a card is busy or half dead. */
const EXEC_DEADLINE_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** The stream ends before the engine knows the exit code. */
const CODE_LOOKS = 20;
const CODE_LOOK_PAUSE_MS = 100;

const createdSchema = z.object({ Id: z.string().min(1) });
const endedSchema = z.object({ Running: z.boolean().catch(false), ExitCode: z.number().int().nullish() });

/** What a shell says of a program that is not there. */
const NOT_FOUND_EXIT_CODE = 127;
const NOT_FOUND = /executable file not found|no such file or directory|command (?:that was )?not found/i;

/** Runs a program in a container and waits for its end. */
export async function execInContainer(
  { calls, clock }: { readonly calls: EngineCalls; readonly clock: Clock },
  id: string,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<ExecResult> {
  const ask = (path: string, json?: unknown): EngineCall => ({
    doing: 'other',
    method: json === undefined ? 'GET' : 'POST',
    path,
    ...(json === undefined ? {} : { json }),
    deadlineMs: LOOK_DEADLINE_MS,
  });
  const wish = { AttachStdout: true, AttachStderr: true, Tty: false, Cmd: [...argv] };
  const created = createdSchema.safeParse(
    await calls.askJson(ask(`/containers/${segment(id)}/exec`, wish), signal),
  );
  if (!created.success) throw new ContainerEngineError('engine_failed', 'The engine made no exec of it.');
  const exec = segment(created.data.Id);
  let output: string;
  try {
    const stream = await calls.open(ask(`/exec/${exec}/start`, { Detach: false, Tty: false }), signal, {
      totalMs: EXEC_DEADLINE_MS,
    });
    output = await readOutput(stream.chunks);
  } catch (error) {
    // Docker refuses the start of what is not in the image; Podman writes it into the output.
    if (error instanceof ContainerEngineError && error.status !== null && NOT_FOUND.test(error.detail)) {
      return { exitCode: NOT_FOUND_EXIT_CODE, output: error.detail };
    }
    throw error;
  }
  for (let look = 0; look < CODE_LOOKS; look += 1) {
    const ended = endedSchema.safeParse(await calls.askJson(ask(`/exec/${exec}/json`), signal));
    if (ended.success && !ended.data.Running && typeof ended.data.ExitCode === 'number') {
      return { exitCode: ended.data.ExitCode, output };
    }
    await new Promise<void>((resolve) => clock.after(CODE_LOOK_PAUSE_MS, resolve));
  }
  throw new ContainerEngineError('timeout', `The engine does not say how ${argv[0] ?? 'the program'} ended.`);
}

async function readOutput(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let rest = noFrameRest;
  for await (const chunk of chunks) {
    const split = splitLogFrames(rest, chunk);
    rest = split.rest;
    for (const piece of split.pieces) {
      if (bytes >= MAX_OUTPUT_BYTES) continue;
      const kept = piece.bytes.slice(0, MAX_OUTPUT_BYTES - bytes);
      bytes += kept.length;
      parts.push(kept);
    }
  }
  return Buffer.concat(parts).toString('utf8');
}

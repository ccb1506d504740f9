import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { Clock } from '@ai-fabric/shared';
import { tryStart } from '../../identity/try-start.js';
import { groupIsAlive, killGroup } from './process-group.js';
import type { StuckProcesses } from './stuck-processes.js';

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface KillableChildOptions {
  readonly child: ChildCommand;
  /** Its working directory; `null` is ours. */
  readonly folder: string | null;
  /** All of its environment; `null` is ours. */
  readonly environment: Readonly<Record<string, string>> | null;
  /** More than this on standard output is cut. */
  readonly maxOutputBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly stuck: StuckProcesses;
  readonly clock: Clock;
}

export type ChildOutcome =
  | { readonly kind: 'ended'; readonly output: string }
  | { readonly kind: 'timed_out'; readonly afterMs: number }
  | { readonly kind: 'aborted' }
  /** The operating system's code. */
  | { readonly kind: 'not_started'; readonly code: string };

/** How long a killed child and its own children get to be gone before they count as stuck. */
const DEATH_WAIT_MS = 3_000;
const DEATH_POLL_MS = 50;

/**
 * Runs a child that has children of its own (a shell, a tool) and kills the whole family when it takes too long or is
 * no longer wanted. What survives the kill is handed to `stuck`; the answer does not wait for it.
 */
export async function runKillableChild(options: KillableChildOptions): Promise<ChildOutcome> {
  const { signal, clock, timeoutMs } = options;
  if (signal.aborted) return { kind: 'aborted' };
  const { child, ended } = startChild(options);
  let stop: (outcome: ChildOutcome) => void = () => undefined;
  const stopped = new Promise<ChildOutcome>((resolve) => {
    stop = resolve;
  });
  const onAbort = (): void => stop({ kind: 'aborted' });
  const timer = clock.after(timeoutMs, () => stop({ kind: 'timed_out', afterMs: timeoutMs }));
  signal.addEventListener('abort', onAbort, { once: true });
  const outcome = await Promise.race([ended, stopped]);
  timer.cancel();
  signal.removeEventListener('abort', onAbort);
  if (outcome.kind === 'timed_out' || outcome.kind === 'aborted') await endFamily(child, options);
  return outcome;
}

interface StartedChild {
  /** `null`: its start failed at once. */
  readonly child: ChildProcess | null;
  /** How it ended by itself. */
  readonly ended: Promise<ChildOutcome>;
}

function startChild(options: KillableChildOptions): StartedChild {
  let end: (outcome: ChildOutcome) => void = () => undefined;
  const ended = new Promise<ChildOutcome>((resolve) => {
    end = resolve;
  });
  const onStartError = (error: NodeJS.ErrnoException): void =>
    end({ kind: 'not_started', code: error.code ?? error.message });
  const child = tryStart(
    () =>
      spawn(options.child.command, options.child.args, {
        ...(options.folder === null ? {} : { cwd: options.folder }),
        ...(options.environment === null ? {} : { env: options.environment }),
        stdio: ['ignore', 'pipe', 'ignore'],
        windowsHide: true,
        // A group of its own, so that the shell and the tool under it can be killed with it.
        detached: options.platform !== 'win32',
      }),
    onStartError,
  );
  const pieces: Buffer[] = [];
  let bytes = 0;
  child?.stdout.on('data', (piece: Buffer) => {
    if (bytes < options.maxOutputBytes) pieces.push(piece.subarray(0, options.maxOutputBytes - bytes));
    bytes += piece.length;
  });
  child?.on('error', (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) onStartError(error);
  });
  child?.on('close', () => end({ kind: 'ended', output: Buffer.concat(pieces).toString('utf8') }));
  return { child, ended };
}

async function endFamily(child: ChildProcess | null, options: KillableChildOptions): Promise<void> {
  if (child?.pid === undefined) return;
  const { pid } = child;
  const posix = options.platform !== 'win32';
  if (posix) killGroup(pid);
  else killTree(pid, options.windowsDirectory);
  const isGone = (): boolean =>
    posix ? !groupIsAlive(pid) : child.exitCode !== null || child.signalCode !== null;
  const deadlineMs = options.clock.monotonicMs() + DEATH_WAIT_MS;
  while (!isGone() && options.clock.monotonicMs() < deadlineMs) await pause(options.clock);
  if (isGone()) return;
  child.stdout?.destroy();
  child.unref();
  options.stuck.add(isGone);
}

function killTree(pid: number, windowsDirectory: string): void {
  const taskkill = `${windowsDirectory}\\System32\\taskkill.exe`;
  // Its own failure shows as a child that is not gone.
  const onEnd = (): void => undefined;
  tryStart(() => execFile(taskkill, ['/PID', String(pid), '/T', '/F'], { windowsHide: true }, onEnd), onEnd);
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(DEATH_POLL_MS, resolve);
  });
}

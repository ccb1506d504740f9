import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToolEnd } from './decide/classify-tool-failure.js';
import { isRunning } from './testing/is-running.js';
import { type ToolProcess, toolStarter } from './tool-process.js';

const UNNOTED = { started: () => undefined, ended: () => undefined };
let folder = '';
let started: ToolProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tool-process-'));
  started = [];
});

afterEach(async () => {
  for (const tool of started) tool.kill();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts a shell script that stands before nvidia-smi. */
async function startWrapper(lines: string) {
  const command = join(folder, 'nvidia-smi');
  await writeFile(command, `#!/bin/sh\ncd '${folder}'\n${lines}\n`);
  await chmod(command, 0o755);
  const ends: ToolEnd[] = [];
  let text = '';
  const tool = toolStarter(systemClock(), UNNOTED)({ command, leadingArgs: [] }, [], {
    onText: (piece) => {
      text += piece;
    },
    onEnd: (end) => void ends.push(end),
  });
  started.push(tool);
  return { tool, ends, text: () => text };
}

const eventually = <Value>(check: () => Value | Promise<Value>): Promise<Value> =>
  vi.waitFor(check, { timeout: 10_000, interval: 10 });

/** The process ids that the script wrote. */
const pidsIn = (name: string, count: number): Promise<number[]> =>
  eventually(async () => {
    const pids = (await readFile(join(folder, name), 'utf8')).trim().split(/\s+/).map(Number);
    expect(pids).toHaveLength(count);
    return pids;
  });

describe.skipIf(process.platform === 'win32')('a tool behind a wrapper', () => {
  it('is killed with what the wrapper started, and then has ended', async () => {
    const { tool, ends } = await startWrapper('sleep 100 &\necho $$ $! > pids\nwait');
    const pids = await pidsIn('pids', 2);
    tool.kill();
    await eventually(() => expect(ends).toMatchObject([{ signal: 'SIGKILL' }]));
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  it('that ends and leaves a child behind has ended, with all that it said, and the child ends with it', async () => {
    const { ends, text } = await startWrapper('sleep 100 &\necho $! > pids\necho a last word\nexit 3');
    const [left] = await pidsIn('pids', 1);
    await eventually(() => expect(ends).toMatchObject([{ exitCode: 3 }]));
    expect(text()).toBe('a last word\n');
    expect(isRunning(left as number)).toBe(false);
  });

  it.runIf(process.platform === 'linux')(
    'that leaves a child outside of its group with the pipe in its hand has ended all the same',
    async () => {
      const { ends } = await startWrapper(
        "setsid sh -c 'echo $$ > pids; exec sleep 100' &\nwhile ! test -s pids; do sleep 0.02; done\nexit 4",
      );
      const [left] = await pidsIn('pids', 1);
      await eventually(() => expect(ends).toMatchObject([{ exitCode: 4 }]));
      process.kill(left as number, 'SIGKILL');
    },
  );

  it('dies with this program', async () => {
    const others = process.listeners('exit');
    await startWrapper('sleep 100 &\necho $$ $! > pids\nwait');
    const pids = await pidsIn('pids', 2);
    for (const listener of process.listeners('exit')) if (!others.includes(listener)) listener(0);
    await eventually(() => expect(pids.map(isRunning)).toEqual([false, false]));
  });

  it('leaves no listener on this program behind', async () => {
    // Other tests of this process may take theirs away meanwhile.
    const others = process.listeners('exit');
    const { ends } = await startWrapper('exit 0');
    await eventually(() => expect(ends).toHaveLength(1));
    expect(process.listeners('exit').filter((listener) => !others.includes(listener))).toEqual([]);
  });
});

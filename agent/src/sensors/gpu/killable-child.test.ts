import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KillableChildOptions, runKillableChild } from './killable-child.js';
import { groupIsAlive } from './process-group.js';
import { stuckProcesses } from './stuck-processes.js';
import { isRunning } from './testing/is-running.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killable-child-'));
});

afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const run = (code: string, over: Partial<KillableChildOptions> = {}) =>
  runKillableChild({
    child: { command: process.execPath, args: ['-e', code] },
    folder,
    environment: { PATH: folder },
    maxOutputBytes: 1000,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    platform: process.platform,
    windowsDirectory: 'C:\\Windows',
    stuck: stuckProcesses(),
    clock: systemClock(),
    ...over,
  });

/** Writes its own process id and that of a child of its own, which would live for a minute. */
const FAMILY = `
  const { spawn } = require('node:child_process');
  const grandchild = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' });
  require('node:fs').writeFileSync('pids', process.pid + ' ' + grandchild.pid);
  setTimeout(() => {}, 60000);
`;

async function familyPids(): Promise<number[]> {
  return vi.waitFor(
    async () => {
      const pids = (await readFile(join(folder, 'pids'), 'utf8')).split(' ').map(Number);
      expect(pids).toHaveLength(2);
      return pids;
    },
    { timeout: 10_000, interval: 10 },
  );
}

describe('a child that can be killed', () => {
  it('gives what it printed', async () => {
    expect(await run('process.stdout.write("hello")')).toEqual({ kind: 'ended', output: 'hello' });
  });

  it('runs in its folder with its own environment and nothing else', async () => {
    const outcome = await run('console.log(process.cwd(), process.env.PATH, process.env.HOME)');
    expect(outcome.kind === 'ended' && outcome.output.trim()).toMatch(
      /killable-child-\S+ \S*killable-child-\S+ undefined$/,
    );
  });

  it('that prints too much is cut', async () => {
    const outcome = await run('process.stdout.write("x".repeat(500000))');
    expect(outcome.kind === 'ended' && outcome.output.length).toBe(1000);
  });

  it('that takes too long is killed with its own children', async () => {
    const stuck = stuckProcesses();
    const ended = run(FAMILY, { timeoutMs: 1_500, stuck });
    const pids = await familyPids();
    expect(await ended).toEqual({ kind: 'timed_out', afterMs: 1_500 });
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(stuck.any()).toBe(false);
  });

  it('that is no longer wanted is killed with its own children', async () => {
    const unwanted = new AbortController();
    const ended = run(FAMILY, { signal: unwanted.signal });
    const pids = await familyPids();
    unwanted.abort();
    expect(await ended).toEqual({ kind: 'aborted' });
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  it('that was unwanted from the beginning is never started', async () => {
    expect(await run(FAMILY, { signal: AbortSignal.abort() })).toEqual({ kind: 'aborted' });
    await expect(readFile(join(folder, 'pids'))).rejects.toThrow();
  });

  it('that cannot be started says why', async () => {
    const child = { command: join(folder, 'missing'), args: [] };
    expect(await run('', { child })).toEqual({ kind: 'not_started', code: 'ENOENT' });
    // This one Node throws at once, as it does what Windows says that it has no name for.
    const tooLong = { command: process.execPath, args: ['x'.repeat(200_000)] };
    expect(await run('', { child: tooLong })).toEqual({ kind: 'not_started', code: 'E2BIG' });
  });

  it.skipIf(process.platform === 'win32')('whose group is gone is known to be gone', async () => {
    await run('process.stdout.write("")');
    expect(groupIsAlive(2 ** 22 + 12_345)).toBe(false);
    expect(groupIsAlive(process.pid)).toBe(isGroupLeader());
  });
});

/** The test runner may or may not lead a group of its own. */
function isGroupLeader(): boolean {
  try {
    process.kill(-process.pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('processes that cannot be killed', () => {
  it('are forgotten one by one as they go', () => {
    const stuck = stuckProcesses();
    expect(stuck.any()).toBe(false);
    const gone = [false, false];
    stuck.add(() => gone[0] === true);
    stuck.add(() => gone[1] === true);
    gone[0] = true;
    expect(stuck.any()).toBe(true);
    gone[1] = true;
    expect(stuck.any()).toBe(false);
    gone[1] = false;
    expect(stuck.any()).toBe(false);
  });
});

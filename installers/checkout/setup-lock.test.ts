import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeSetupLock } from './setup-lock.mjs';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ai-fabric-lock-'));
  file = join(folder, 'setup.lock');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const noWait = () => {};

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

function writeLock(lock: { pid: number; installerPid?: number }): void {
  writeFileSync(file, JSON.stringify({ machine: hostname(), installerPid: null, renewals: 0, ...lock }));
}

describe('the lock on the set-up', () => {
  it('is held by one command at a time, and the next one gets it when it is released', async () => {
    const first = await takeSetupLock(file, noWait, 5);
    const reasons: string[] = [];
    const order: string[] = [];
    const second = takeSetupLock(file, (reason) => reasons.push(reason), 5).then((lock) => {
      order.push('second');
      return lock;
    });
    await expect.poll(() => reasons.length).toBeGreaterThan(2);
    order.push('first is done');
    first.release();
    (await second).release();
    expect(order).toEqual(['first is done', 'second']);
    expect(reasons[0]).toContain(`process ${process.pid}`);
  });

  it('of a dead process is taken over', async () => {
    writeLock({ pid: deadPid() });
    const lock = await takeSetupLock(file, noWait, 5);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid, machine: hostname() });
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a dead process is taken over only after the package manager that it left behind', async () => {
    const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(orphan, 'spawn');
    writeLock({ pid: deadPid(), installerPid: orphan.pid ?? 0 });
    const reasons: string[] = [];
    const taking = takeSetupLock(file, (reason) => reasons.push(reason), 5);
    await expect.poll(() => reasons.at(-1)).toContain(`process ${orphan.pid}`);
    orphan.kill('SIGKILL');
    (await taking).release();
  });

  it('goes to exactly one of many that find a dead one at the same time', async () => {
    writeLock({ pid: deadPid() });
    let holders = 0;
    let most = 0;
    const work = Array.from({ length: 8 }, async () => {
      const lock = await takeSetupLock(file, noWait, 1);
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      lock.release();
    });
    await Promise.all(work);
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('names the installer that runs under it, so that a successor can wait for it', async () => {
    const lock = await takeSetupLock(file, noWait, 5);
    lock.nameInstaller(4711);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid, installerPid: 4711 });
    lock.release();
  });

  it('of somebody else is left alone when a late holder lets go', async () => {
    const lock = await takeSetupLock(file, noWait, 5);
    writeLock({ pid: 1 });
    lock.release();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: 1 });
  });
});

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeclaredBackup } from '../declared/declared-state.js';
import { FakeDeclaredSource } from '../link/testing/fake-declared-source.js';
import { declaredOf } from '../live/testing/live-fixtures.js';
import { BackupError } from '../registry/backup/backup-format.js';
import { BackupSchedule } from './backup-schedule.js';

/** A second, as `vi.waitFor` has it, is nothing on a machine that has other work. */
const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 });

const HOUR_MS = 3_600_000;
let directory: string;
let clock: ManualClock;
let failure: BackupError | null;
let schedule: BackupSchedule;
let declared: FakeDeclaredSource;
let logLines: string[] = [];
const log = pino({ level: 'warn' }, { write: (line: string) => void logLines.push(line) });

/** A desk that writes a file where it is told to. */
const desk = {
  make: async (file: string) => {
    if (failure) throw failure;
    writeFileSync(file, 'backup');
    return { file, madeAtMs: clock.nowMs(), sizeBytes: 6, sha256: 'ab' };
  },
};
const every = (everyHours: number): DeclaredBackup => ({
  ...{ directory, schedule: { everyHours }, keep: 2, secrets: true },
});
const files = (): string[] => readdirSync(directory).toSorted();

function start(backup: DeclaredBackup | null): void {
  declared = new FakeDeclaredSource({ ...declaredOf({}), backup });
  schedule = new BackupSchedule({ declared, desk, clock, log });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backups-'));
  clock = new ManualClock();
  failure = null;
  logLines = [];
});
afterEach(async () => {
  await schedule.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('scheduled backups', () => {
  it('are made when they are due, and the newest stay', async () => {
    writeFileSync(join(directory, 'mine.backup'), '');
    start(every(6));
    await soon(() => expect(schedule.status.nextAtMs).not.toBeNull());
    for (let count = 1; count <= 3; count += 1) {
      clock.advance(60_000);
      await soon(() => expect(schedule.status.lastSuccess?.atMs).toBe(clock.nowMs()));
      await soon(() => expect(schedule.status.nextAtMs).toBe(clock.nowMs() + 6 * HOUR_MS));
      await soon(() => expect(files()).toHaveLength(Math.min(count, 2) + 1));
      clock.advance(6 * HOUR_MS - 60_000);
    }
    expect(files()).toContain('mine.backup');
  });

  it('count those that a former process made', async () => {
    const lastMs = Math.floor(clock.nowMs() / 1000) * 1000;
    const name = `ai-fabric-${new Date(lastMs).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
    writeFileSync(join(directory, name), '');
    start(every(24));
    await soon(() => expect(schedule.status.nextAtMs).toBe(lastMs + 24 * HOUR_MS));
  });

  it('that fail are told of and tried again, and take none of the former away', async () => {
    start(every(1));
    await soon(() => expect(schedule.status.nextAtMs).not.toBeNull());
    failure = new BackupError('backup_full', 'the disk is full', 'make room');
    clock.advance(60_000);
    await soon(() =>
      expect(schedule.status.lastFailure).toMatchObject({ detail: 'the disk is full', fix: 'make room' }),
    );
    expect(files()).toEqual([]);
    failure = null;
    await soon(() => expect(schedule.status.nextAtMs).toBe(clock.nowMs() + 15 * 60_000));
    clock.advance(16 * 60_000);
    await soon(() => expect(schedule.status.lastFailure).toBeNull());
    await soon(() => expect(files()).toHaveLength(1));
  });

  it('are known to fail before they are due where their directory is not there', async () => {
    const missing = join(directory, 'unmounted');
    start({ ...every(24), directory: missing });
    await soon(() =>
      expect(schedule.status.lastFailure).toMatchObject({
        detail: `${missing}: is not there`,
        fix: 'make it, or mount what holds it',
      }),
    );
    expect(logLines.join('')).toContain('no scheduled backup can be made');
    mkdirSync(missing);
    await soon(() => expect(schedule.status.nextAtMs).not.toBeNull());
    failure = new BackupError('backup_in_progress', 'another is being made', 'wait');
    clock.advance(60_000);
    await soon(() => expect(schedule.status.lastFailure?.detail).toBe('another is being made'));
  });

  it('are well again when their directory comes, though none is due', async () => {
    const missing = join(directory, 'unmounted');
    start({ ...every(1), schedule: { cron: '0 3 1 1 *' }, directory: missing });
    await soon(() => expect(schedule.status.lastFailure).not.toBeNull());
    mkdirSync(missing);
    clock.advance(60_000);
    await soon(() => expect(schedule.status.lastFailure).toBeNull());
  });

  it('that failed for want of their directory are made when it is back, and not only when they would be tried again', async () => {
    const missing = join(directory, 'unmounted');
    mkdirSync(missing);
    start({ ...every(1), directory: missing });
    await soon(() => expect(schedule.status.nextAtMs).not.toBeNull());
    rmSync(missing, { recursive: true });
    clock.advance(60_000);
    const retryMs = clock.nowMs() + 15 * 60_000;
    await soon(() => expect(schedule.status.nextAtMs).toBe(retryMs));
    await soon(() => expect(logLines.join('')).toContain('no scheduled backup can be made'));
    expect((await schedule.lookNow()).lastFailure).not.toBeNull();
    mkdirSync(missing);
    expect(await schedule.lookNow()).toMatchObject({ lastFailure: null, nextAtMs: clock.nowMs() });
    clock.advance(60_000);
    await soon(() => expect(readdirSync(missing)).toHaveLength(1));
  });

  it('that failed for another reason are tried again at their time', async () => {
    start(every(1));
    await soon(() => expect(schedule.status.nextAtMs).not.toBeNull());
    failure = new BackupError('backup_full', 'the disk is full', 'make room');
    clock.advance(60_000);
    const retryMs = clock.nowMs() + 15 * 60_000;
    await soon(() => expect(schedule.status.nextAtMs).toBe(retryMs));
    expect(await schedule.lookNow()).toMatchObject({ lastFailure: { fix: 'make room' }, nextAtMs: retryMs });
  });

  it('follow a cron pattern, and end when they are no longer declared', async () => {
    mkdirSync(join(directory, 'other'));
    start({ ...every(1), schedule: { cron: '0 3 * * *' } });
    await soon(() => expect(schedule.status.nextAtMs).toBeGreaterThan(clock.nowMs()));
    expect(new Date(schedule.status.nextAtMs ?? 0).getHours()).toBe(3);
    declared.replace({ ...declaredOf({}), backup: null });
    await soon(() => expect(schedule.status).toMatchObject({ schedule: null, nextAtMs: null }));
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpgradeMode } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { privateFiles } from '../identity/private-files.js';
import { QuickClock } from '../testing/quick-clock.js';
import { upgradeWords } from './decide/upgrade-words.js';
import { InstalledUpgrades, type InstalledUpgradesOptions } from './installed-upgrades.js';
import { UpgradeError } from './upgrade-error.js';
import type { UpgradeRecord } from './upgrade-record.js';
import { notInstalled } from './upgrades.js';

const manifestSha256 = 'ab'.repeat(32);
const offer = { name: 'offer_upgrade', version: '0.2.0', manifestSha256 } as const;
const files = privateFiles({ platform: 'linux', windowsDirectory: '' });

let stateDirectory: string;
let record: UpgradeRecord | null;
let staged: number;
let asked: number;
let discarded: number;
let changes: number;
let clock: QuickClock;
const opened: InstalledUpgrades[] = [];

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'upgrades-'));
  [record, staged, asked, discarded, changes] = [null, 0, 0, 0, 0];
  clock = new QuickClock(100);
});
afterEach(async () => {
  for (const desk of opened.splice(0)) await desk.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

async function open(
  mode: UpgradeMode,
  change: Partial<InstalledUpgradesOptions> = {},
): Promise<InstalledUpgrades> {
  const desk = await InstalledUpgrades.open({
    ...{ mode, stateDirectory, files, clock, ownVersion: '0.1.0', log: pino({ level: 'silent' }) },
    words: upgradeWords.linux,
    readRecord: () => Promise.resolve(record),
    stage: () => {
      staged += 1;
      return Promise.resolve();
    },
    askRoot: () => {
      asked += 1;
      return Promise.resolve();
    },
    discard: () => {
      discarded += 1;
      return Promise.resolve();
    },
    onChange: () => {
      changes += 1;
    },
    ...change,
  });
  opened.push(desk);
  return desk;
}

const until = (holds: () => void): Promise<void> => vi.waitFor(holds, { timeout: 20_000, interval: 5 });
const recordOf = (stage: UpgradeRecord['stage']): UpgradeRecord => ({
  ...{ format: 1, stage, manifestSha256, signed: true, reason: null, proofs: 0, changedAtMs: clock.nowMs() },
  from: { version: '0.1.0', folder: '/v/old' },
  to: { version: '0.2.0', folder: '/v/new' },
});

describe('an offer', () => {
  it('is refused by an agent that was not installed', async () => {
    expect(await notInstalled.offer(offer)).toMatchObject({ result: 'refused', code: 'not_installed' });
    expect(notInstalled.report()).toBeNull();
    expect(await notInstalled.isBeingReplaced()).toBe(false);
  });

  it('is refused where the owner wants none, and where it is no newer one', async () => {
    const off = await open('off');
    expect(await off.offer(offer)).toMatchObject({ result: 'refused', code: 'upgrades_off' });
    const auto = await open('auto');
    expect(await auto.offer({ ...offer, version: '0.1.0' })).toMatchObject({ code: 'same_version' });
    expect(await auto.offer({ ...offer, version: '0.0.1' })).toMatchObject({ code: 'older_version' });
    expect([auto.report(), staged, changes]).toEqual([null, 0, 0]);
  });

  it('is kept until the owner says yes, also across a restart of the agent', async () => {
    const before = await open('confirm');
    expect(await before.offer(offer)).toEqual({ result: 'done' });
    expect(before.report()).toMatchObject({ phase: 'offered', version: '0.2.0', manifestSha256 });
    expect([changes, staged]).toEqual([1, 0]);
    await before.close();
    const desk = await open('confirm');
    expect(desk.report()).toMatchObject({ phase: 'offered', version: '0.2.0' });
    desk.linked();
    expect(staged).toBe(0);
    desk.confirm();
    desk.confirm();
    await until(() => expect(asked).toBe(1));
    expect([staged, desk.report()]).toEqual([
      1,
      { phase: 'staged', version: '0.2.0', detail: null, manifestSha256: null },
    ]);
  });

  it('is replaced by a newer one', async () => {
    const desk = await open('confirm');
    await desk.offer(offer);
    await desk.offer({ ...offer, version: '0.3.0', manifestSha256: 'cd'.repeat(32) });
    expect(desk.report()).toMatchObject({ version: '0.3.0', manifestSha256: 'cd'.repeat(32) });
  });

  it('is done by itself where the owner wants that, and no second one meanwhile', async () => {
    const desk = await open('auto');
    expect(await desk.offer(offer)).toEqual({ result: 'done' });
    expect(await desk.offer(offer)).toMatchObject({ result: 'refused', code: 'upgrade_under_way' });
    await until(() => expect([staged, asked]).toEqual([1, 1]));
    record = recordOf('swapped');
    expect(await desk.offer(offer)).toMatchObject({ code: 'upgrade_under_way' });
    expect(await desk.isBeingReplaced()).toBe(true);
    await until(() => expect(desk.report()?.phase).toBe('swapped'));
  });
});

describe('an upgrade', () => {
  it.each([
    [
      'it cannot be fetched',
      { stage: () => Promise.reject(new UpgradeError('unreachable', 'nobody answers')) },
      'nobody answers',
    ],
    [
      'root does not want it',
      { askRoot: () => Promise.reject(new Error('the owner said no')) },
      'the owner said no',
    ],
  ])('fails where %s, says why, and can be tried again', async (_what, change, why) => {
    const desk = await open('auto', change);
    await desk.offer(offer);
    await until(() => expect(desk.report()).toMatchObject({ phase: 'failed', detail: why, manifestSha256 }));
    expect(await desk.offer(offer)).toEqual({ result: 'done' });
  });

  it('fails where root does not begin', async () => {
    clock = new QuickClock(5_000);
    const desk = await open('auto');
    await desk.offer(offer);
    await until(() => expect(desk.report()).toMatchObject({ phase: 'failed' }));
    expect(desk.report()?.detail).toContain('journalctl');
  });

  it('that was rolled back is told as that, and not tried again by itself', async () => {
    const desk = await open('auto');
    await desk.offer(offer);
    await until(() => expect(asked).toBe(1));
    record = recordOf('rolling_back');
    await until(() => expect(desk.report()).toMatchObject({ phase: 'proving' }));
    record = { ...recordOf('rolled_back'), reason: 'it did not link' };
    await until(() => expect(desk.report()).toMatchObject({ phase: 'rolled_back' }));
    expect(await desk.offer(offer)).toEqual({ result: 'done' });
    expect([desk.report()?.phase, staged]).toEqual(['offered', 1]);
  });

  it('is gone on with by an agent that was ended in its fetching, once it is linked', async () => {
    const before = await open('auto', {
      stage: (_release, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', reject);
          if (signal.aborted) reject(signal.reason);
        }),
    });
    await before.offer(offer);
    expect(before.report()).toMatchObject({ phase: 'fetching' });
    await before.close();
    const desk = await open('auto');
    expect(desk.report()).toMatchObject({ phase: 'fetching' });
    expect(staged).toBe(0);
    desk.linked();
    desk.linked();
    await until(() => expect([staged, asked]).toEqual([1, 1]));
  });

  it('is told by the newer version as being proven, then as done', async () => {
    const before = await open('auto');
    await before.offer(offer);
    await until(() => expect(asked).toBe(1));
    await before.close();
    record = recordOf('proving');
    const desk = await open('auto', { ownVersion: '0.2.0' });
    expect(desk.report()).toMatchObject({ phase: 'proving' });
    record = recordOf('done');
    await until(() => expect(desk.report()).toMatchObject({ phase: 'done', version: '0.2.0' }));
    expect(changes).toBeGreaterThan(0);
    expect(await desk.isBeingReplaced()).toBe(false);
  });

  it('leaves nothing of what was staged once it is over, and keeps what it goes on with', async () => {
    const before = await open('confirm');
    await until(() => expect(discarded).toBe(1));
    await before.offer(offer);
    before.confirm();
    await until(() => expect(asked).toBe(1));
    await before.close();
    const again = await open('confirm');
    await again.close();
    expect(discarded).toBe(1);
    record = recordOf('proving');
    await open('confirm', { ownVersion: '0.2.0' });
    await until(() => expect(discarded).toBe(2));
  });

  it('leaves nothing of what was staged where it was rolled back', async () => {
    const desk = await open('auto');
    await desk.offer(offer);
    await until(() => expect(asked).toBe(1));
    record = recordOf('rolled_back');
    await until(() => expect(discarded).toBe(2));
  });

  it('is none the worse where what was staged cannot be removed', async () => {
    const desk = await open('auto', { discard: () => Promise.reject(new Error('EACCES')) });
    await desk.offer(offer);
    await until(() => expect([staged, asked]).toEqual([1, 1]));
  });
});

describe('its health', () => {
  const health = (): unknown => JSON.parse(readFileSync(join(stateDirectory, 'health.json'), 'utf8'));

  it('says which version and process it is, and whether it is linked', async () => {
    const desk = await open('confirm');
    const own = { version: '0.1.0', pid: process.pid, seen: { cards: null, engine: null } };
    await until(() => expect(health()).toEqual({ ...own, linkedSinceMs: null }));
    desk.linked();
    await until(() => expect(health()).toEqual({ ...own, linkedSinceMs: expect.any(Number) }));
    desk.unlinked();
    await until(() => expect(health()).toEqual({ ...own, linkedSinceMs: null }));
  });

  it('says what it finds of cards and container engine, linked or not', async () => {
    const desk = await open('confirm');
    desk.saw({ cards: 2, engine: null });
    await until(() =>
      expect(health()).toMatchObject({ linkedSinceMs: null, seen: { cards: 2, engine: null } }),
    );
    desk.linked();
    desk.saw({ cards: 2, engine: true });
    await until(() =>
      expect(health()).toMatchObject({ linkedSinceMs: expect.any(Number), seen: { cards: 2, engine: true } }),
    );
  });
});

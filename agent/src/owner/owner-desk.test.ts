import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GpuReading, OwnYield, YieldSettings } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { privateFiles } from '../identity/private-files.js';
import type { HoldTerms } from '../replica/decide/combine-holds.js';
import { HoldDownError } from '../replica/hold-down-error.js';
import type { OwnReplica } from './decide/describe-own-use.js';
import { OwnerDesk } from './owner-desk.js';
import { OwnerMemory } from './owner-memory.js';

const CARD = 'GPU-1';
const log = pino({ level: 'silent' });
const files = privateFiles({ platform: process.platform, windowsDirectory: '' });
const SETTINGS: YieldSettings = {
  ...{ automatic: true, drainSeconds: 10, action: 'park', quietSeconds: 60 },
  ...{ vramBytes: 1.5e9, utilisationRatio: 0.3 },
};

let directory: string;
const open: OwnerDesk[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-owner-'));
});
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** A desk with replicas that give their cards back when told. */
async function openDesk(more: { own?: readonly OwnReplica[] | null; ownYield?: OwnYield } = {}) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const free: { resolve(): void; reject(error: Error): void }[] = [];
  let told = 0;
  const desk = new OwnerDesk({
    memory: await OwnerMemory.open(directory, files, log),
    replicas: {
      holdDown: (_reason: 'owner', { action, drainSeconds }: HoldTerms) => {
        asked.push(`${action} ${drainSeconds}`);
        return new Promise<void>((resolve, reject) => free.push({ resolve, reject }));
      },
      release: () => {
        asked.push('release');
      },
    },
    own: () => (more.own === undefined ? [] : more.own),
    ownYield: more.ownYield ?? {},
    sessions: () => ({ present: null, remoteSession: null }),
    listProcesses: () => Promise.resolve(['game.exe']),
    onChange: () => {
      told += 1;
    },
    clock,
    log,
  });
  open.push(desk);
  desk.start();
  return {
    desk,
    asked,
    free,
    clock,
    told: () => told,
    see: async (usedGb: number, seconds = 2) => {
      for (let passed = 0; passed < seconds; passed += 2) {
        clock.advance(2_000);
        desk.sampled({ [CARD]: reading(usedGb) });
        await settled();
      }
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function reading(usedGb: number): GpuReading {
  return {
    ...{
      utilisationRatio: 0,
      memoryUtilisationRatio: null,
      vramUsedBytes: usedGb * 1e9,
      vramTotalBytes: 12e9,
    },
    ...{ temperatureCelsius: null, memoryTemperatureCelsius: null, powerWatts: null, powerLimitWatts: null },
    ...{ smClockMhz: null, memoryClockMhz: null, fanRatio: null, performanceState: null },
    clocksEventReasonsMask: null,
  };
}

describe('the owner’s desk', () => {
  test('frees the card for a game, names it, and takes the card back after the quiet', async () => {
    const { desk, asked, free, see } = await openDesk();
    await desk.changeSettings(SETTINGS);
    await see(0.9, 60);
    await see(6, 4);
    expect(asked).toEqual(['park 10']);
    expect(desk.report()).toMatchObject({
      ...{ state: 'yielding', cause: 'foreign_use', freedSeconds: null },
      processes: ['game.exe'],
    });
    free[0]?.resolve();
    await settled();
    expect(desk.report()).toMatchObject({ state: 'yielded', freedSeconds: 2 });
    expect(desk.report().detail).toContain('game.exe');
    await see(0.9, 64);
    expect(asked).toEqual(['park 10', 'release']);
    expect(desk.report()).toMatchObject({ state: 'serving', cause: null, processes: [], freedSeconds: 2 });
  });

  test('sees no game before a control plane told how to yield', async () => {
    const { desk, see } = await openDesk();
    await see(0.9, 60);
    await see(6, 60);
    expect(desk.report().state).toBe('serving');
  });

  test('goes by what the owner says in their own file, whatever is declared', async () => {
    const { desk, asked, see } = await openDesk({ ownYield: { vramGigabytes: 8, drainSeconds: 0 } });
    await desk.changeSettings(SETTINGS);
    await see(0.9, 60);
    await see(6, 10);
    expect(desk.report().state).toBe('serving');
    await see(11, 4);
    expect(asked).toEqual(['park 0']);
    // What is kept is what was told: the owner may change their file.
    const kept = JSON.parse(await readFile(join(directory, 'owner.json'), 'utf8'));
    expect(kept.settings).toEqual(SETTINGS);
  });

  test('sees no game while it is not known what is to be kept here', async () => {
    const { desk, see } = await openDesk({ own: null });
    await desk.changeSettings(SETTINGS);
    await see(0.9, 60);
    await see(6, 60);
    expect(desk.report()).toMatchObject({ state: 'serving', foreignVramBytes: null });
  });

  test('asks again while cards are not free, as long as they are wanted', async () => {
    const { desk, asked, free } = await openDesk();
    await desk.ask('owner', true);
    free[0]?.reject(new HoldDownError('not_free', ['qwen']));
    await settled();
    expect(asked).toHaveLength(2);
    await desk.ask('owner', false);
    free[1]?.reject(new HoldDownError('released', []));
    await settled();
    expect(asked).toEqual(['stop 10', 'stop 10', 'release']);
  });

  test('is not misled by an answer to an earlier hold', async () => {
    const { desk, free } = await openDesk();
    await desk.ask('owner', true);
    await desk.changeSettings({ ...SETTINGS, action: 'stop' });
    free[0]?.resolve();
    await settled();
    expect(desk.report().state).toBe('yielding');
    free[1]?.resolve();
    await settled();
    expect(desk.report().state).toBe('yielded');
  });

  test('keeps what was said, how to yield and what the desktop takes, over a restart', async () => {
    const first = await openDesk();
    await first.desk.changeSettings(SETTINGS);
    await first.see(0.9, 600);
    await first.desk.ask('owner', true);
    await first.desk.close();
    const second = await openDesk();
    expect(second.asked).toEqual(['park 10']);
    expect(second.desk.report()).toMatchObject({ state: 'yielding', cause: 'owner' });
    await second.desk.ask('owner', false);
    await second.see(6, 4);
    expect(second.desk.report()).toMatchObject({ cause: 'foreign_use' });
  });

  test('goes on with nothing where what was kept is damaged', async () => {
    await writeFile(join(directory, 'owner.json'), '{"version":1,', { mode: 0o600 });
    const { desk } = await openDesk();
    expect(desk.report().state).toBe('serving');
  });

  test('tells of what changes, and not of numbers', async () => {
    const { desk, told, see } = await openDesk();
    await desk.changeSettings({ ...SETTINGS, automatic: false });
    const before = told();
    await see(0.9, 20);
    await see(6, 20);
    expect(told()).toBe(before);
    await desk.ask('operator', true);
    expect(told()).toBeGreaterThan(before);
  });
});

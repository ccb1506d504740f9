import type { Command, OwnerReport } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import type { SleepEnd } from './sleep-desk.js';
import { DONE, FleetStage, OWN_BOOT, OWN_MAC, settle, wired } from './testing/fleet-stage.js';

const FABRIC = `
version: 1
hosts:
  wintermute:
    mayBeAway: true
    timeZone: UTC
    wake: { minimumUpMinutes: 15 }
    sleep: { afterIdleMinutes: 30, action: suspend, drainSeconds: 60 }
  armitage:
    mayBeAway: true
    sleep: { afterIdleMinutes: 10, action: container-only, drainSeconds: 5 }
deployments:
  deep: { host: wintermute, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: M }
  fast:
    { host: armitage, task: chat, engine: vllm, model: 'org/model' }
roles:
  chat: { task: chat, targets: [{ deployment: deep }] }
`;
const MINUTE_MS = 60_000;
const PROVEN = { proofs: [{ hostId: 'id-wintermute', fromState: 'suspend' }] };
const POWER = {
  ...{ verbs: ['suspend' as const, 'poweroff' as const], sleepStates: ['mem'] },
  ...{ modernStandby: null, fastStartup: null, onBattery: false },
};
const OWNER: OwnerReport = {
  ...{ state: 'serving', cause: null, detail: null, stateSeconds: 900, freedSeconds: null },
  ...{ foreignVramBytes: 0, foreignUtilisationRatio: 0, present: false, remoteSession: false, processes: [] },
};

let stage: FleetStage;
/** Outcomes of power commands that the test has not given yet. */
let answers: Map<string, (end: { result: 'done' | 'failed' | 'expired'; code: string | null }) => void>;

/** Agents take power commands and say nothing until the test does. */
async function open(fabric = FABRIC, records: ConstructorParameters<typeof FleetStage>[1] = PROVEN) {
  stage = new FleetStage(fabric, records);
  answers = new Map();
  stage.answer = (host, { name }) =>
    name === 'power' || name === 'park'
      ? new Promise((resolve) => answers.set(host, (end) => resolve({ ...end, detail: 'as the test says' })))
      : Promise.resolve(DONE);
  for (const host of ['wintermute', 'armitage']) stage.link(host, { power: POWER });
  await settle();
}

afterEach(() => stage.close());

const commandsOf = (name: Command['name'], host = 'wintermute') =>
  stage.commands.filter((each) => each.command.name === name && each.host === host);
const powerOf = (host = 'wintermute') => stage.power(host);
const ask = (host: string, more = {}) =>
  stage.fleet.sleeps.begin({
    ...{ host, action: null, askedBy: 'operator', reason: 'an operator', despiteGuards: false, ...more },
  });

function settled(begun: ReturnType<typeof ask>): { end: SleepEnd | null } {
  const told: { end: SleepEnd | null } = { end: null };
  if (begun.kind === 'refused') told.end = begun;
  else {
    void begun.settled.then((end) => {
      told.end = end;
    });
  }
  return told;
}

describe('a host that nobody asks', () => {
  it('goes to sleep after its idle time, and its agent is asked once', async () => {
    await open();
    await stage.leap(29 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(MINUTE_MS + 1_000);
    expect(commandsOf('power')).toMatchObject([
      {
        command: {
          ...{ name: 'power', verb: 'suspend', drainSeconds: 60, reason: 'no request for 30 min' },
        },
      },
    ]);
    expect(powerOf()).toMatchObject({ state: 'online', goingToSleep: { phase: 'going', action: 'suspend' } });
    stage.leave('wintermute', 'suspend');
    await settle();
    expect(powerOf()).toMatchObject({ state: 'asleep', goingToSleep: null });
    expect(stage.saved.findLast(({ kind }) => kind === 'powerEvent')).toMatchObject({
      ...{ state: 'asleep', cause: 'idle' },
    });
    await stage.leap(60 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('counts from its last request', async () => {
    await open();
    await stage.leap(20 * MINUTE_MS);
    stage.use.set('wintermute', { lastMs: stage.clock.monotonicMs() });
    await stage.leap(29 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(2 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('is left awake while requests run or wait for it', async () => {
    await open();
    stage.use.set('wintermute', { inflight: 1, counted: 1 });
    await stage.leap(40 * MINUTE_MS);
    stage.use.set('wintermute', { queued: 2 });
    await stage.leap(40 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
  });

  it('does not cut off batch requests: it stays with those that do not end', async () => {
    await open();
    stage.use.set('wintermute', { inflight: 1 });
    await stage.leap(30 * MINUTE_MS + 2_000);
    expect(powerOf()).toMatchObject({ goingToSleep: { phase: 'draining' } });
    await stage.advance(61_000);
    expect(powerOf()).toMatchObject({ goingToSleep: null });
    expect(commandsOf('power')).toEqual([]);
    stage.use.delete('wintermute');
    await stage.leap(29 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(2 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('stays awake by itself where it was never seen to come back', async () => {
    await open(FABRIC, {});
    await stage.leap(120 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    const host = stage.live.host('wintermute');
    expect(host && stage.fleet.sleeps.standing(host).plan).toMatchObject({ guard: 'wake_not_proven' });
  });

  it('stays awake while an operator says so, also over a restart of this program', async () => {
    await open();
    stage.fleet.sleeps.keepAwake('wintermute', 120 * MINUTE_MS, null);
    const saved = stage.saved.findLast(({ kind }) => kind === 'hostPower');
    const kept = saved?.kind === 'hostPower' ? saved.power : null;
    expect(powerOf()?.keepAwakeUntilMs).toBe(stage.clock.nowMs() + 120 * MINUTE_MS);
    stage.close();
    await open(FABRIC, { ...PROVEN, hosts: kept ? [{ hostId: 'id-wintermute', ...kept }] : [] });
    await stage.leap(119 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(2 * MINUTE_MS);
    expect(powerOf()?.keepAwakeUntilMs).toBeNull();
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('stays awake in its awake hours', async () => {
    await open(
      FABRIC.replace('drainSeconds: 60', "drainSeconds: 60, awakeHours: [{ from: '08:00', to: '18:00' }]"),
    );
    await stage.leap(359 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(2 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('stays up for a while after a wake', async () => {
    await open(FABRIC.replace('afterIdleMinutes: 30', 'afterIdleMinutes: 1'));
    stage.leave('wintermute', 'suspend');
    await settle();
    stage.wakes.wakeHost('wintermute', 'operator');
    stage.link('wintermute');
    await settle();
    stage.report('wintermute', { deep: 'ready' });
    await stage.leap(14 * MINUTE_MS);
    expect(commandsOf('power')).toEqual([]);
    await stage.leap(2 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('is left alone for a while where it did not go', async () => {
    await open();
    await stage.leap(31 * MINUTE_MS);
    answers.get('wintermute')?.({ result: 'failed', code: 'power_unchanged' });
    await settle();
    expect(powerOf()).toMatchObject({ state: 'online', goingToSleep: null });
    await stage.leap(39 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(1);
    await stage.leap(2 * MINUTE_MS);
    expect(commandsOf('power')).toHaveLength(2);
  });
});

describe('a host that an operator sends to sleep', () => {
  it('goes at once, whatever its idle time, and two who ask share one way', async () => {
    await open();
    const [one, other] = [settled(ask('wintermute')), settled(ask('wintermute'))];
    expect(commandsOf('power')).toHaveLength(1);
    stage.leave('wintermute', 'suspend');
    await settle();
    expect(one.end).toEqual({ kind: 'asleep', action: 'suspend' });
    expect(other.end).toEqual(one.end);
  });

  it('takes no new requests while those that run finish', async () => {
    await open();
    stage.use.set('wintermute', { inflight: 2, counted: 2 });
    ask('wintermute');
    expect(powerOf()).toMatchObject({ goingToSleep: { phase: 'draining' } });
    await stage.advance(10_000);
    expect(commandsOf('power')).toEqual([]);
    stage.use.delete('wintermute');
    await stage.advance(1_000);
    expect(commandsOf('power')).toMatchObject([{ command: { drainSeconds: 49 } }]);
  });

  it('stays awake where its agent refuses, and says why', async () => {
    await open();
    const told = settled(ask('wintermute'));
    answers.get('wintermute')?.({ result: 'failed', code: 'engines_not_stopped' });
    await settle();
    expect(told.end).toEqual({
      ...{ kind: 'failed', code: 'engines_not_stopped', detail: 'as the test says' },
    });
    expect(powerOf()).toMatchObject({ state: 'online', goingToSleep: null });
  });

  it('stays awake where its link broke and is there again, and is not asked anew', async () => {
    await open();
    const told = settled(ask('wintermute'));
    stage.protocol = null;
    stage.live.hostUnlinked('wintermute', false, null);
    answers.get('wintermute')?.({ result: 'expired', code: 'void_on_new_link' });
    await stage.advance(2_000);
    expect(told.end).toBeNull();
    stage.protocol = 5;
    stage.link('wintermute');
    await stage.advance(5_000);
    expect(told.end).toMatchObject({ kind: 'failed', code: 'linked_again' });
    expect(commandsOf('power')).toHaveLength(1);
  });

  it('is believed to sleep where it goes without a word', async () => {
    await open();
    const told = settled(ask('wintermute'));
    stage.leave('wintermute', null);
    await settle();
    expect(told.end).toMatchObject({ kind: 'asleep' });
    expect(powerOf()?.state).toBe('asleep');
  });

  it('stays awake while its owner is there, unless the operator insists', async () => {
    await open();
    stage.live.takeReport('wintermute', { clockSkewMs: 0, samples: [], owner: { ...OWNER, present: true } });
    expect(ask('wintermute')).toMatchObject({ kind: 'refused', code: 'owner_present', mayBeForced: true });
    expect(ask('wintermute', { despiteGuards: true })).toMatchObject({ kind: 'begun' });
  });

  it('stays awake where it is the machine of this program, whoever insists', async () => {
    await open();
    stage.link('wintermute', { interfaces: [wired(OWN_MAC, '192.168.1.20/24')], power: POWER });
    expect(ask('wintermute', { despiteGuards: true })).toMatchObject({ kind: 'refused', code: 'own_host' });
  });

  it('stays awake where this program runs in a container on it', async () => {
    await open();
    stage.link('wintermute', { bootId: OWN_BOOT, power: POWER });
    expect(ask('wintermute', { despiteGuards: true })).toMatchObject({ kind: 'refused', code: 'own_host' });
    const parked = ask('wintermute', { action: 'container-only' });
    expect(parked).toMatchObject({ kind: 'begun' });
  });

  it('is not asked where its agent knows nothing of power', async () => {
    await open();
    stage.protocol = 4;
    expect(ask('wintermute')).toMatchObject({ kind: 'refused', code: 'old_agent' });
  });
});

describe('a request for a host that goes to sleep', () => {
  it('takes it back while others finish', async () => {
    await open();
    stage.report('wintermute', { deep: 'ready' });
    stage.use.set('wintermute', { inflight: 1, counted: 1 });
    const told = settled(ask('wintermute'));
    stage.report('wintermute', { deep: 'ready' });
    expect(stage.ask(['deep'])).toMatchObject({ host: 'wintermute' });
    await settle();
    expect(told.end).toMatchObject({ kind: 'failed', code: 'called_back' });
    expect(powerOf()).toMatchObject({ state: 'online', goingToSleep: null, flight: null });
    expect(stage.packets).toEqual([]);
    stage.use.delete('wintermute');
    await stage.advance(5_000);
    expect(commandsOf('power')).toEqual([]);
  });

  it('is held until it has gone and was woken, where it was asked already', async () => {
    await open();
    ask('wintermute');
    expect(stage.ask(['deep'])).toMatchObject({ host: 'wintermute', wakeId: 'wake-1' });
    await stage.advance(100_000);
    expect(stage.packets).toEqual([]);
    stage.leave('wintermute', 'suspend');
    await stage.advance(6_000);
    expect(stage.volleysAtMs).toEqual([100_000, 102_000, 105_000]);
    expect(powerOf()?.state).toBe('waking');
    stage.link('wintermute');
    await settle();
    stage.report('wintermute', { deep: 'ready' });
    await settle();
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'ready' });
    expect(powerOf()).toMatchObject({ state: 'online', goingToSleep: null });
  });

  it('finds it awake where it did not go after all', async () => {
    await open();
    ask('wintermute');
    stage.ask(['deep']);
    await stage.advance(2_000);
    answers.get('wintermute')?.({ result: 'failed', code: 'power_unchanged' });
    await settle();
    stage.report('wintermute', { deep: 'ready' });
    await settle();
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'ready' });
    expect(stage.packets).toEqual([]);
  });
});

describe('a host that only frees its cards', () => {
  async function parked(): Promise<void> {
    await open();
    stage.report('armitage', { fast: 'ready' });
    await stage.leap(10 * MINUTE_MS + 1_000);
    expect(commandsOf('park', 'armitage')).toHaveLength(1);
    answers.get('armitage')?.({ result: 'done', code: null });
    await settle();
    stage.report('armitage', { fast: 'parked' });
    await settle();
  }

  it('is asleep with its machine on, and is not parked again', async () => {
    await parked();
    expect(powerOf('armitage')).toMatchObject({ state: 'asleep', goingToSleep: null });
    expect(stage.live.host('armitage')?.presence).toBe('online');
    await stage.leap(60 * MINUTE_MS);
    expect(commandsOf('park', 'armitage')).toHaveLength(1);
  });

  it('is woken by a word to its agent', async () => {
    await parked();
    expect(stage.ask(['fast'])).toMatchObject({ host: 'armitage' });
    await settle();
    expect(commandsOf('unpark', 'armitage')).toHaveLength(1);
    expect(stage.packets).toEqual([]);
    expect(powerOf('armitage')?.state).toBe('waking');
    await stage.advance(3_000);
    stage.report('armitage', { fast: 'loading' });
    await stage.advance(3_000);
    stage.report('armitage', { fast: 'ready' });
    await settle();
    expect(powerOf('armitage')).toMatchObject({ state: 'online', flight: null });
    expect(stage.wakes.find('wake-1')).toMatchObject({ outcome: 'ready', fromState: 'parked' });
    expect(stage.saved.some(({ kind }) => kind === 'wakeProof')).toBe(false);
  });

  it('stays parked while its agent is started anew, and is woken by a word then', async () => {
    await parked();
    stage.leave('armitage', 'service_stop');
    await stage.advance(15_000);
    expect(powerOf('armitage')?.state).toBe('offline');
    stage.link('armitage');
    stage.report('armitage', { fast: 'parked' });
    await settle();
    expect(powerOf('armitage')?.state).toBe('asleep');
    expect(stage.ask(['fast'])).toMatchObject({ host: 'armitage' });
    await settle();
    expect(commandsOf('unpark', 'armitage')).toHaveLength(1);
    expect(stage.packets).toEqual([]);
  });

  it('is told to run where a wake finds that it was only out of reach', async () => {
    await parked();
    stage.leave('armitage', null);
    await stage.advance(15_000);
    expect(stage.ask(['fast'])).toMatchObject({ host: 'armitage' });
    await settle();
    expect(stage.packets).not.toEqual([]);
    stage.link('armitage');
    await settle();
    expect(commandsOf('unpark', 'armitage')).toHaveLength(1);
  });

  it.each(['suspend', 'shutdown', 'restart'])(
    'is parked no more after its machine said %s',
    async (reason) => {
      await parked();
      stage.leave('armitage', reason);
      await stage.advance(15_000);
      stage.link('armitage');
      await settle();
      expect(powerOf('armitage')?.state).toBe('online');
    },
  );

  it('is told to run again where it could not free its cards', async () => {
    await open();
    stage.report('armitage', { fast: 'ready' });
    const told = settled(ask('armitage'));
    await stage.advance(2_000);
    answers.get('armitage')?.({ result: 'failed', code: 'not_parked' });
    await settle();
    expect(told.end).toMatchObject({ kind: 'failed', code: 'not_parked' });
    expect(commandsOf('unpark', 'armitage')).toHaveLength(1);
  });

  it('is awake again where its agent runs it all the same', async () => {
    await parked();
    stage.report('armitage', { fast: 'ready' });
    await settle();
    expect(powerOf('armitage')?.state).toBe('online');
  });

  it('is taken back while it is being freed', async () => {
    await open();
    stage.report('armitage', { fast: 'ready' });
    ask('armitage');
    expect(stage.ask(['fast'])).toMatchObject({ host: 'armitage' });
    await settle();
    expect(commandsOf('unpark', 'armitage')).toHaveLength(1);
    stage.report('armitage', { fast: 'ready' });
    await settle();
    expect(powerOf('armitage')).toMatchObject({ state: 'online', goingToSleep: null });
  });
});

import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { PowerObservation, PowerRecords, WakeRecord } from '../registry/power-types.js';
import { PowerMemory } from './power-memory.js';

function wake(more: Partial<WakeRecord & { hostId: string }> = {}) {
  return {
    ...{
      hostId: 'h1',
      wakeId: 'w',
      askedAtMs: 1,
      askedBy: 'request',
      keyId: null,
      role: null,
      deployment: 'deep',
    },
    ...{ fromState: 'suspend', outcome: 'ready', failedPhase: null, detail: null, endedAtMs: 2, waiters: 0 },
    phases: { agent_back: 30_000, model_ready: 48_000, 'model_ready:deep': 48_000 },
    ...more,
  } satisfies WakeRecord & { hostId: string };
}

function open(records: Partial<PowerRecords> = {}) {
  const saved: PowerObservation[] = [];
  const store = {
    load: () => ({ hosts: [], proofs: [], loads: [], wakes: [], ...records }),
    save: (observation: PowerObservation) => void saved.push(observation),
  };
  return { memory: new PowerMemory(store, new ManualClock()), saved };
}

const slept = {
  ...{ hostId: 'h1', keepAwakeUntilMs: null, keepAwakeReason: null, servingWatts: null },
  ...{ lastSleptBy: 'suspend', lastSleptAtMs: 1, wokenAtMs: null },
};

describe('what is remembered of a host', () => {
  it('is nothing of one that was never seen', () => {
    const { memory } = open();
    expect(memory.of(null)).toMatchObject({ sleptBy: null, wokenAtMs: null, proven: new Set() });
    expect(memory.of('h9').usual.ready).toEqual({});
  });

  it.each([
    [true, 'suspend', 'suspend'],
    [false, 'suspend', null],
    [true, 'service_stop', null],
  ])('is that the fabric put it to sleep (%s, %s): %s', (sleptByFabric, lastSleptBy, expected) => {
    const { memory } = open({ hosts: [{ ...slept, sleptByFabric, lastSleptBy }] });
    expect(memory.of('h1').sleptBy).toBe(expected);
  });

  it('is what its cards draw, and how long its engines take to start', () => {
    const load = { seconds: [40, 30], toldSeconds: 25 };
    const { memory, saved } = open({
      hosts: [{ ...slept, sleptByFabric: false, servingWatts: 310 }],
      loads: [{ hostId: 'h1', deployment: 'deep', ...load }],
    });
    expect(memory.of('h1').servingWatts).toBe(310);
    expect(memory.loadOf('h1', 'deep')).toEqual(load);
    expect([memory.loadOf('h1', 'other'), memory.loadOf('h2', 'deep')]).toEqual([null, null]);
    memory.draws('h1', 290);
    memory.loads('h1', 'deep', { ...load, seconds: [40, 30, 20] });
    expect(saved).toMatchObject([
      { kind: 'hostPower', hostId: 'h1', power: { servingWatts: 290, lastSleptBy: 'suspend' } },
      { kind: 'loadTimes', hostId: 'h1', deployment: 'deep', record: { seconds: [40, 30, 20] } },
    ]);
  });

  it('is not what a wake took that had weights to fetch', () => {
    const { memory } = open();
    const phases = { agent_back: 30_000, model_ready: 900_000, 'fetched:deep': 900_000 };
    memory.wake('h1', wake({ phases }));
    expect(memory.of('h1').usual.ready).toEqual({});
    expect(memory.of('h1').usual.phases.agent_back?.p50Ms).toBe(30_000);
    expect(memory.of('h1').proven.has('suspend')).toBe(true);
  });

  it('is why its last wake failed, until one succeeds', () => {
    const failed = wake({ outcome: 'failed', detail: 'nothing was heard', endedAtMs: 9 });
    const { memory } = open({ wakes: [failed, wake()] });
    expect(memory.of('h1').lastFailure).toEqual({ atMs: 9, why: 'nothing was heard' });
    memory.wake('h1', wake({ outcome: 'cancelled' }));
    expect(memory.of('h1').lastFailure).not.toBeNull();
    memory.wake('h1', wake());
    expect(memory.of('h1').lastFailure).toBeNull();
  });

  it('ends when it is back, and says so once', () => {
    const { memory, saved } = open({ hosts: [{ ...slept, sleptByFabric: true }] });
    memory.awake('h1');
    memory.awake('h1');
    expect(memory.of('h1').sleptBy).toBeNull();
    expect(saved).toHaveLength(1);
    memory.slept('h1', 'poweroff', 'idle');
    expect(memory.of('h1').sleptBy).toBe('poweroff');
    memory.woken('h1');
    expect(memory.of('h1')).toMatchObject({ sleptBy: null, wokenAtMs: new ManualClock().nowMs() });
  });

  it('is what its wakes took, those that failed left out, whatever was parked apart', () => {
    const parked = wake({ fromState: 'parked', phases: { agent_back: 0, 'model_ready:deep': 4_000 } });
    const { memory } = open({ wakes: [wake({ outcome: 'failed' }), parked, wake()] });
    expect(memory.of('h1').usual.ready['deep']).toEqual({ p50Ms: 48_000, p95Ms: 48_000, count: 1 });
    expect(memory.of('h1').usualUnpark.ready['deep']?.p50Ms).toBe(4_000);
  });

  it('is the last twenty of them', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      wake({ phases: { agent_back: (30 - index) * 1_000 } }),
    );
    const { memory } = open({ wakes: many });
    expect(memory.of('h1').usual.phases.agent_back).toMatchObject({ count: 20, p50Ms: 20_000 });
  });
});

describe('a proof', () => {
  const proofs = (record: WakeRecord) => {
    const { memory, saved } = open();
    memory.wake('h1', record);
    memory.wake('h1', record);
    return saved.flatMap((each) => (each.kind === 'wakeProof' ? [each.fromState] : []));
  };

  it.each<[Partial<WakeRecord>, string[]]>([
    [{}, ['suspend']],
    [{ fromState: 'hibernate' }, ['hibernate']],
    [{ fromState: 'unknown' }, ['unknown']],
    [{ outcome: 'failed' }, []],
    [{ outcome: null }, []],
    [{ phases: { agent_back: 1 } }, []],
    [{ fromState: 'parked' }, []],
    [{ fromState: 'poweroff' }, []],
    [{ fromState: 'poweroff', askedBy: 'operator' }, []],
    [{ fromState: 'poweroff', askedBy: 'rehearsal' }, ['poweroff']],
  ])('is a wake up to a token, once: %j', (more, expected) => {
    expect(proofs(wake(more))).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { buildDeployment } from '../../declared/decide/build-deployment.js';
import type { VllmDeployment } from '../../declared/declared-state.js';
import { deploymentEntrySchema } from '../../declared/deployment-entry-schema.js';
import type { HostPower, PowerState, Wakeability } from '../../live/host-power.js';
import type { ExpectedReady } from '../../live/until-ready.js';
import { flightOf, powerOf } from '../testing/power-fixtures.js';
import { replicaOf } from '../testing/router-fixtures.js';
import { isAsleep, isWakeLate, isWaking, wakeInMs } from './judge-asleep.js';

const PRESENCES = ['online', 'late', 'away', 'unseen'] as const;
const STATES: readonly PowerState[] = ['unseen', 'online', 'late', 'asleep', 'waking', 'offline'];

function vllmOf(wish: VllmDeployment['wish']): VllmDeployment {
  const entry = deploymentEntrySchema.parse({
    ...{ engine: 'vllm', host: 'armitage', task: 'chat', model: 'Qwen/Qwen2.5-3B-Instruct', wish },
  });
  return buildDeployment('a', entry) as VllmDeployment;
}

const kept = (wish: VllmDeployment['wish'], power: HostPower = powerOf({ state: 'asleep' })) => ({
  ...replicaOf('a', { presence: 'away', power }),
  deployment: vllmOf(wish),
});

describe('isAsleep', () => {
  it.each(PRESENCES.flatMap((presence) => STATES.map((state) => ({ presence, state }))))(
    'of a host that is $presence and, as the fleet knows it, $state',
    ({ presence, state }) => {
      const isGone = presence === 'away' || presence === 'unseen';
      const expected = isGone && ['asleep', 'waking', 'offline'].includes(state);
      expect(isAsleep(replicaOf('a', { presence, power: powerOf({ state }) }))).toBe(expected);
    },
  );

  it.each<{ wakeability: Wakeability; expected: boolean }>([
    { wakeability: { kind: 'yes', proven: true }, expected: true },
    { wakeability: { kind: 'yes', proven: false }, expected: true },
    { wakeability: { kind: 'unknown', detail: 'no arming told' }, expected: true },
    { wakeability: { kind: 'no', reason: 'no_mac', detail: 'no MAC is known' }, expected: false },
  ])('is $expected where wakeability is $wakeability.kind', ({ wakeability, expected }) => {
    const power = powerOf({ state: 'asleep', wakeability });
    expect(isAsleep(replicaOf('a', { presence: 'away', power }))).toBe(expected);
  });

  it.each(['running', 'parked', 'stopped'] as const)('of one that is wished to be %s', (wish) => {
    expect(isAsleep(kept(wish))).toBe(wish === 'running');
  });

  it('is false of a host that an operator drains', () => {
    const power = powerOf({ state: 'asleep' });
    expect(isAsleep(replicaOf('a', { presence: 'away', power, draining: true }))).toBe(false);
  });

  it.each([
    { phase: 'parked', expected: true },
    { phase: 'absent', expected: true },
    { phase: 'ready', expected: false },
    { phase: 'loading', expected: false },
    { phase: 'failed', expected: false },
  ] as const)('of a host that stays on while its card was given back: $phase', ({ phase, expected }) => {
    const power = powerOf({ state: 'asleep' });
    expect(isAsleep(replicaOf('a', { presence: 'online', power, phase }))).toBe(expected);
  });
});

describe('a host that is about to sleep', () => {
  const leaving = (phase: 'announced' | 'draining' | 'going', more: Partial<HostPower> = {}) =>
    powerOf({
      ...{ state: 'online', goingToSleep: { action: 'suspend', phase, sinceMs: 0, reason: 'idle' }, ...more },
    });

  it.each([
    { phase: 'announced', expected: false },
    { phase: 'draining', expected: true },
    { phase: 'going', expected: true },
  ] as const)('counts as asleep while it is $phase: $expected', ({ phase, expected }) => {
    const cannot = { wakeability: { kind: 'no', reason: 'wifi', detail: '' } } as const;
    expect(isAsleep(replicaOf('a', { power: leaving(phase) }))).toBe(expected);
    expect(isAsleep(replicaOf('a', { power: leaving(phase, cannot) }))).toBe(expected);
  });

  it('stays at once while it drains, and comes back like any other once it goes', () => {
    expect(wakeInMs(leaving('draining'), 'a', 0)).toBe(0);
    expect(wakeInMs(leaving('going'), 'a', 0)).toBe(40_000);
  });
});

describe('isWaking', () => {
  it('is where a wake is under way, wherever that has got to', () => {
    for (const presence of PRESENCES) {
      expect(isWaking(replicaOf('a', { presence, power: powerOf({ flight: flightOf() }) }))).toBe(true);
      expect(isWaking(replicaOf('a', { presence, power: powerOf({ state: 'asleep' }) }))).toBe(false);
    }
  });

  it('is not for one that is to be stopped, or whose host drains', () => {
    const power = powerOf({ flight: flightOf() });
    expect(isWaking(kept('stopped', power))).toBe(false);
    expect(isWaking(replicaOf('a', { power, draining: true }))).toBe(false);
  });
});

describe('wakeInMs', () => {
  const readySeconds = { a: 48 };
  const underWay = (expected: ExpectedReady): HostPower =>
    powerOf({ readySeconds, flight: flightOf({ askedAtMs: 900_000, expected: { a: expected } }) });
  it.each([
    { of: 'one that was never asked for', power: powerOf({ readySeconds: {} }), expected: null },
    { of: 'a wake that begins now', power: powerOf({ readySeconds }), expected: 48_000 },
    {
      of: 'one that began 10 s ago',
      power: powerOf({ readySeconds, flight: flightOf({ askedAtMs: 990_000 }) }),
      expected: 38_000,
    },
    {
      of: 'one that takes longer than usual',
      power: powerOf({ readySeconds, flight: flightOf({ askedAtMs: 900_000 }) }),
      expected: 52_000,
    },
    {
      of: 'one that is expected later than usual',
      power: underWay({ usuallyAtMs: 1_020_000, latestAtMs: 1_050_000 }),
      expected: 20_000,
    },
    {
      of: 'one that is late, by the slowest of those before',
      power: underWay({ usuallyAtMs: 990_000, latestAtMs: 1_030_000 }),
      expected: 30_000,
    },
    {
      of: 'one that is later than any before',
      power: underWay({ usuallyAtMs: 940_000, latestAtMs: 980_000 }),
      expected: 60_000,
    },
    {
      of: 'one of which nothing is known',
      power: powerOf({ readySeconds: { b: 1 }, flight: flightOf() }),
      expected: null,
    },
  ])('of $of', ({ power, expected }) => {
    expect(wakeInMs(power, 'a', 1_000_000)).toBe(expected);
  });

  it('is late once it takes longer than usual', () => {
    const power = underWay({ usuallyAtMs: 948_000, latestAtMs: 960_000 });
    expect(isWakeLate(power, 'a', 947_999)).toBe(false);
    expect(isWakeLate(power, 'a', 948_000)).toBe(true);
    expect(isWakeLate(powerOf(), 'a', 990_000)).toBe(false);
  });

  it('is late once what came so far moves it', () => {
    const usual = { usuallyAtMs: 948_400, latestAtMs: 960_000 };
    expect(isWakeLate(underWay(usual), 'a', 910_000)).toBe(false);
    const moved = { usuallyAtMs: 955_000, latestAtMs: 960_000 };
    expect(isWakeLate(underWay(moved), 'a', 910_000)).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { type HostPower, UNKNOWN_POWER } from '../../live/host-power.js';
import { describePower } from './describe-power.js';
import { describeWake } from './wake-commands.js';

const NOW = 100_000_000;

function lines(power: Partial<HostPower>): readonly string[] {
  return describePower({ ...UNKNOWN_POWER, sinceMs: NOW - 7_200_000, ...power }, NOW).map(
    ([label, text]) => `${label}: ${text}`,
  );
}

describe('what is shown of a host’s power', () => {
  test.each([
    [{ state: 'unseen' }, []],
    [
      { state: 'asleep', wakeability: { kind: 'yes', proven: true }, readySeconds: { deep: 48 } },
      ['power: asleep for 2 h', 'wake: yes, proven; deep in about 48 s'],
    ],
    [
      { state: 'offline', wakeability: { kind: 'no', reason: 'no_path', detail: 'nobody is awake' } },
      ['power: offline for 2 h', 'wake: no (no_path): nobody is awake'],
    ],
    [
      { state: 'online', keepAwakeUntilMs: NOW + 7_200_000, wakeability: { kind: 'yes', proven: false } },
      ['power: online for 2 h', 'kept awake: for 2 h more', 'wake: yes, never proven'],
    ],
    [
      {
        ...{ state: 'asleep', wakeability: { kind: 'yes', proven: true } },
        wakeTimes: {
          packetToAgent: { p50: 31, p95: 40.5, wakes: 20 },
          deployments: {
            deep: { agentToReady: { p50: 14, p95: 20, wakes: 19 }, total: { p50: 45, p95: 60, wakes: 19 } },
            fast: { agentToReady: null, total: { p50: 40, p95: 40, wakes: 1 } },
          },
        },
      },
      [
        'power: asleep for 2 h',
        'wake: yes, proven',
        'its wakes: agent back after 31 s (p95 40.5 s, of 20)',
        ': deep: loads in 14 s (p95 20 s, of 19), ready after 45 s (p95 60 s, of 19)',
        ': fast: ready after 40 s (p95 40 s, of 1)',
      ],
    ],
  ] satisfies [Partial<HostPower>, string[]][])('is what matters of %j', (power, told) => {
    expect(lines(power)).toEqual(told);
  });
});

describe('a wake', () => {
  const wake = { host: 'wintermute', phases: { agent_back: 34_000, model_ready: 48_200 }, detail: null };
  test.each([
    [{ outcome: 'ready' }, 'wintermute is ready: agent back after 34 s, model ready after 48 s'],
    [{ outcome: null, phases: {} }, 'wintermute is woken'],
    [
      { outcome: 'failed', detail: 'nothing was heard of it' },
      'wintermute was not woken: nothing was heard of it',
    ],
  ] as const)('is told as %j', (more, told) => {
    expect(describeWake({ ...wake, ...more } as never)).toBe(told);
  });
});

import { type HostPower, NO_WAKE_TIMES, type WakeFlight } from '../../live/host-power.js';

/** A host that can be woken, asleep where nothing else is said, its `a` ready after 40 s. */
export function powerOf(more: Partial<HostPower> = {}): HostPower {
  return {
    state: 'asleep',
    sinceMs: 0,
    wakeability: { kind: 'yes', proven: true },
    flight: null,
    goingToSleep: null,
    keepAwakeUntilMs: null,
    readySeconds: { a: 40 },
    wakeTimes: NO_WAKE_TIMES,
    ...more,
  };
}

export function flightOf(more: Partial<WakeFlight> = {}): WakeFlight {
  return {
    wakeId: 'wake-1',
    askedAtMs: 0,
    phase: 'packet_sent',
    phaseSinceMs: 0,
    waiters: 1,
    text: 'packet sent 3 s ago; model ready in about 37 s',
    expected: {},
    ...more,
  };
}

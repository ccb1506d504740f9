import { type Clock, systemClock } from '@ai-fabric/shared';

/** The machine's time, and a wall clock that can be set wrong. */
export interface MovableClock extends Clock {
  /** Sets the wall clock ahead by so much, or back. What is measured in durations goes on as before. */
  move(byMs: number): void;
}

export function movableClock(aheadMs = 0): MovableClock {
  const system = systemClock();
  let offsetMs = aheadMs;
  return {
    ...system,
    nowMs: () => system.nowMs() + offsetMs,
    move: (byMs) => {
      offsetMs += byMs;
    },
  };
}

/** Time that runs faster than the machine's: programs that all have it live a minute in seconds. */
export function fastClock(factor: number): Clock {
  const system = systemClock();
  const startedAtMs = system.nowMs();
  const origin = system.monotonicMs();
  const elapsedMs = (): number => (system.monotonicMs() - origin) * factor;
  return {
    nowMs: () => startedAtMs + elapsedMs(),
    monotonicMs: elapsedMs,
    after: (delayMs, run) => system.after(delayMs / factor, run),
    every: (periodMs, run) => system.every(periodMs / factor, run),
  };
}

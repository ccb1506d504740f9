import type { Clock, Timer } from '@ai-fabric/shared';

/** A tick that is later than this was held up by the process itself: swapped out, stopped, out of processor time. */
const STALL_MS = 1_000;

/**
 * A clock whose monotonic time leaves out when this process stood still. While we were not looking, silence proves
 * nothing: what peers sent meanwhile is read only after the timers have run, and they must not all be cut off for it.
 */
export class StallFreeClock implements Clock {
  readonly #clock: Clock;
  readonly #periodMs: number;
  #stalledMs = 0;
  /** When the next tick is so late that it counts as a stall, of the clock below. */
  #stallsAtMs = Number.POSITIVE_INFINITY;

  /** @param periodMs of the regular timer that calls `tick` */
  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** @returns for how long the process stood still before this tick, else 0 */
  tick(): number {
    const nowMs = this.#clock.monotonicMs();
    const stalledMs = Math.max(0, nowMs - this.#stallsAtMs);
    this.#stalledMs += stalledMs;
    this.#stallsAtMs = nowMs + this.#periodMs + STALL_MS;
    return stalledMs;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    // What is done between a stall and the tick that notes it happens at the moment at which time stood still.
    return Math.min(this.#clock.monotonicMs(), this.#stallsAtMs) - this.#stalledMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#clock.after(delayMs, run);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#clock.every(periodMs, run);
  }
}

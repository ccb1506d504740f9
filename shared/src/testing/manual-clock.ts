import type { Clock, Timer } from '../pure/clock.js';

interface Pending {
  dueMs: number;
  run: () => void;
  periodMs: number | null;
}

/** A clock that stands still until a test advances it. Timers fire in order of their due time. */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>();
  #monotonicMs = 0;
  #wallOffsetMs: number;

  constructor(startMs = 1_700_000_000_000) {
    this.#wallOffsetMs = startMs;
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add({ dueMs: this.#monotonicMs + delayMs, run, periodMs: null });
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add({ dueMs: this.#monotonicMs + periodMs, run, periodMs });
  }

  /** Moves time on, firing what falls due, in order. */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs;
    for (let next = this.#nextDue(untilMs); next; next = this.#nextDue(untilMs)) {
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      if (next.periodMs === null) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.run();
    }
    this.#monotonicMs = untilMs;
  }

  /** The wall clock jumps (an operator or NTP sets it); monotonic time does not. */
  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  get pendingTimers(): number {
    return this.#pending.size;
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  #nextDue(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs <= untilMs && (!first || pending.dueMs < first.dueMs)) first = pending;
    }
    return first;
  }
}

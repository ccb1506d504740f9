import type { Clock, Timer } from '@ai-fabric/shared';

/** What is due within it is one timer. */
const GRAIN_MS = 5;
/** What adding up a time and a distance leaves in the last digits. */
const ROUNDING = 1e-6;

interface Waiting {
  readonly run: () => void;
}

/**
 * A clock whose timers meet: those of fifty replicas that are looked at in the same moment are one, and so are the
 * deadlines of what they ask. Each of Node's own wakes the process by itself, a little early or late. These come up to
 * five milliseconds late, and never early.
 */
export function gatherTimers(clock: Clock): Clock {
  const moments = new Map<number, Moment>();
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    every: (periodMs, run) => clock.every(periodMs, run),
    after: (delayMs, run) => {
      const dueMs = Math.ceil((clock.monotonicMs() + delayMs) / GRAIN_MS - ROUNDING) * GRAIN_MS;
      let moment = moments.get(dueMs);
      if (!moment) {
        moment = new Moment(clock, dueMs, () => moments.delete(dueMs));
        moments.set(dueMs, moment);
      }
      return moment.add(run);
    },
  };
}

class Moment {
  readonly #clock: Clock;
  readonly #dueMs: number;
  readonly #onOver: () => void;
  readonly #waiting = new Set<Waiting>();
  #timer: Timer;
  #isOver = false;

  constructor(clock: Clock, dueMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#dueMs = dueMs;
    this.#onOver = onOver;
    this.#timer = this.#arm();
  }

  add(run: () => void): Timer {
    const waiting = { run };
    this.#waiting.add(waiting);
    return {
      cancel: () => {
        this.#waiting.delete(waiting);
        if (this.#waiting.size > 0 || this.#isOver) return;
        this.#timer.cancel();
        this.#end();
      },
    };
  }

  #arm(): Timer {
    return this.#clock.after(this.#dueMs - this.#clock.monotonicMs(), () => this.#fire());
  }

  #fire(): void {
    if (this.#clock.monotonicMs() < this.#dueMs) {
      this.#timer = this.#arm();
      return;
    }
    this.#end();
    // One that another cancels meanwhile is not run any more.
    for (const { run } of this.#waiting) run();
    this.#waiting.clear();
  }

  #end(): void {
    this.#isOver = true;
    this.#onOver();
  }
}

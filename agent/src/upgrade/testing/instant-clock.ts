import type { Clock, Timer } from '@ai-fabric/shared';

/** Whoever waits has waited: time passes by being asked for. For code that does one thing at a time. */
export class InstantClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    let isCancelled = false;
    queueMicrotask(() => {
      if (isCancelled) return;
      this.#nowMs += delayMs;
      run();
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  every(): Timer {
    throw new Error('nothing happens at intervals here');
  }
}

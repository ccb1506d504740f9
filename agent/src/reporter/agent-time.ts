import type { Clock } from '@ai-fabric/shared';

/** A smaller step of the wall clock is drift, and is left alone. */
const STEP_MS = 1_000;

/**
 * The clock that samples and frames are stamped with. It starts as the wall clock and then runs on elapsed time, so
 * that it never goes back and the ages that the control plane works out from it are true, whatever is done to the
 * wall clock.
 */
export class AgentTime {
  readonly #clock: Clock;
  readonly #elapsedMs: () => number;
  #offsetMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param elapsedMs monotonic, and, where the system can tell, with the time that the machine slept */
  constructor(clock: Clock, elapsedMs: () => number) {
    this.#clock = clock;
    this.#elapsedMs = elapsedMs;
    this.#offsetMs = clock.nowMs() - elapsedMs();
  }

  /** For frames: never before a stamp that was given. */
  nowMs(): number {
    return Math.max(this.#lastMs, Math.round(this.#offsetMs + this.#elapsedMs()));
  }

  /** For samples: later than every one before. */
  stamp(): number {
    this.#lastMs = Math.max(this.#lastMs + 1, this.nowMs());
    return this.#lastMs;
  }

  /**
   * Follows the wall clock after it was set forward. Only while no sample waits to be sent: the age of one that was
   * stamped before would be wrong by the step. A clock that was set back is not followed until the agent restarts.
   */
  followWallClock(): void {
    const stepMs = this.#clock.nowMs() - (this.#offsetMs + this.#elapsedMs());
    if (stepMs >= STEP_MS) this.#offsetMs += stepMs;
  }
}

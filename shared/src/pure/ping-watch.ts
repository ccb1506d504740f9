import type { Clock, Timer } from './clock.js';

export interface PingWatchOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** How long an answer may take. */
  readonly deadlineMs: number;
  /** Asks for a sign of life. @param answered to be called when it comes */
  readonly ping: (answered: () => void) => void;
  /** No answer came in time. Called once; the watch has ended. */
  readonly onSilent: () => void;
}

/** Pings a peer for as long as it answers. */
export class PingWatch {
  readonly #options: PingWatchOptions;
  readonly #pace: Timer;
  #deadline: Timer | null = null;

  constructor(options: PingWatchOptions) {
    this.#options = options;
    this.#pace = options.clock.every(options.everyMs, () => this.#ping());
  }

  end(): void {
    this.#pace.cancel();
    this.#deadline?.cancel();
    this.#deadline = null;
  }

  #ping(): void {
    // One at a time: a later ping must not push the deadline out.
    if (this.#deadline !== null) return;
    const deadline = this.#options.clock.after(this.#options.deadlineMs, () => {
      this.end();
      this.#options.onSilent();
    });
    this.#deadline = deadline;
    this.#options.ping(() => {
      deadline.cancel();
      if (this.#deadline === deadline) this.#deadline = null;
    });
  }
}

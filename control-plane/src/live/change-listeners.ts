import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { LiveChange } from './live-view.js';

const TELL_AGAIN_AFTER_MS = 10_000;

/** Calls everybody who follows the live view, in the order in which they came. One that throws harms nobody else. */
export class ChangeListeners {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Replaced, never changed: who comes or goes during a call does not disturb it. */
  #listeners: readonly ((change: LiveChange) => void)[] = [];
  readonly #waiting: LiveChange[] = [];
  #telling = false;
  #failures = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get count(): number {
    return this.#listeners.length;
  }

  add(listener: (change: LiveChange) => void): () => void {
    // Wrapped, so that one function added twice is two subscriptions.
    const own = (change: LiveChange) => listener(change);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  /** A change that a listener makes is told when all have heard of the one before. */
  tell(change: LiveChange): void {
    this.#waiting.push(change);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#tellAll(next);
    }
    this.#telling = false;
  }

  #tellAll(change: LiveChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#noteFailure(change, error);
      }
    }
  }

  #noteFailure(change: LiveChange, error: unknown): void {
    this.#failures += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldAtMs < TELL_AGAIN_AFTER_MS) return;
    this.#toldAtMs = nowMs;
    const failures = this.#failures;
    this.#log.error({ err: error, change: change.kind, failures }, 'a listener of the live view failed');
  }
}

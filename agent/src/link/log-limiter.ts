import type { Clock } from '@ai-fabric/shared';

const PERIOD_MS = 60_000;
const MAX_KEYS = 64;

/** Lets one line of each kind through a minute, and tells how many were held back since the last one. */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #kinds = new Map<string, { nextMs: number; held: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns how many lines of this kind were held back since the last one; `null`: hold this one back too */
  pass(kind: string): number | null {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known && nowMs < known.nextMs) {
      known.held += 1;
      return null;
    }
    if (!known && this.#kinds.size >= MAX_KEYS) this.#kinds.clear();
    this.#kinds.set(kind, { nextMs: nowMs + PERIOD_MS, held: 0 });
    return known?.held ?? 0;
  }

  /** The trouble is over: its next line is news again. */
  reset(): void {
    this.#kinds.clear();
  }
}

import type { Clock, Timer } from '@ai-fabric/shared';

/** Something with a deadline that moves. */
export interface Expiring {
  /** On the monotonic clock; `Infinity`: none for now. */
  expiresAtMs: number;
  /** Its place among the watched; -1: not watched. Belongs to `Deadlines`. */
  slot: number;
  /** The deadline passed. It stays watched until it is removed, so this is called again unless it moves. */
  onExpired(nowMs: number): void;
}

/**
 * One timer for all deadlines of the gateway: a deadline moves with every chunk of every stream, and a timer of its
 * own for each would cost more than the chunk. It fires up to one tick late. While nothing is watched it stands still.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #watched: Expiring[] = [];
  #ticker: Timer | null = null;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  get size(): number {
    return this.#watched.length;
  }

  watch(expiring: Expiring): void {
    if (expiring.slot >= 0) return;
    expiring.slot = this.#watched.length;
    this.#watched.push(expiring);
    this.#ticker ??= this.#clock.every(this.#tickMs, () => this.#sweep());
  }

  unwatch(expiring: Expiring): void {
    const { slot } = expiring;
    if (slot < 0) return;
    expiring.slot = -1;
    const last = this.#watched.pop() as Expiring;
    if (last === expiring) return;
    this.#watched[slot] = last;
    last.slot = slot;
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    // Backwards: what `unwatch` moves into a freed place was looked at already.
    for (let index = this.#watched.length - 1; index >= 0; index--) {
      const expiring = this.#watched[index];
      if (expiring !== undefined && expiring.expiresAtMs <= nowMs) expiring.onExpired(nowMs);
    }
    if (this.#watched.length > 0) return;
    this.#ticker?.cancel();
    this.#ticker = null;
  }
}

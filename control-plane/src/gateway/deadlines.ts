import { type Clock, SlotList, type Timer } from '@ai-fabric/shared';

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
  readonly #watched = new SlotList<'slot', Expiring>('slot');
  #ticker: Timer | null = null;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  get size(): number {
    return this.#watched.size;
  }

  watch(expiring: Expiring): void {
    this.#watched.add(expiring);
    this.#ticker ??= this.#clock.every(this.#tickMs, () => this.#sweep());
  }

  unwatch(expiring: Expiring): void {
    this.#watched.remove(expiring);
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#watched.forEach((expiring) => {
      if (expiring.expiresAtMs <= nowMs) expiring.onExpired(nowMs);
    });
    if (this.#watched.size > 0) return;
    this.#ticker?.cancel();
    this.#ticker = null;
  }
}

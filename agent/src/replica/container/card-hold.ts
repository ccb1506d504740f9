import { isDeepStrictEqual } from 'node:util';
import type { Hold } from '../decide/combine-holds.js';

/** What holds one replica down, and who waits for its card. */
export class CardHold {
  readonly #waiting = new Set<() => void>();
  #hold: Hold | null;

  constructor(hold: Hold | null) {
    this.#hold = hold;
  }

  get current(): Hold | null {
    return this.#hold;
  }

  /** @returns whether it is another than before */
  set(hold: Hold | null): boolean {
    if (isDeepStrictEqual(hold, this.#hold)) return false;
    this.#hold = hold;
    if (hold === null) this.tellFree();
    return true;
  }

  /** Resolves with the next `tellFree`, which also comes when nothing holds it any more. */
  whenFree(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  tellFree(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

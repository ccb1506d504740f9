import type { ContainerEvent } from './container-engine.js';

const MAX_WAITING = 1_000;

/** Holds events until they are taken, up to a bound. */
export class EventQueue {
  #waiting: ContainerEvent[] = [];
  #error: unknown = null;
  #wake: (() => void) | null = null;

  /** Where there are too many, all that wait are dropped for one `resynced`: a list then tells more than they would. */
  push(event: ContainerEvent): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting = [{ kind: 'resynced' }];
    this.#waiting.push(event);
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#wake?.();
  }

  /** Ends with the signal. For one taker. */
  async *take(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    const onAbort = (): void => this.#wake?.();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      if (this.#error !== null) throw this.#error;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    signal.removeEventListener('abort', onAbort);
  }
}

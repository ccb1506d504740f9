import type { InFlight } from '../replica/container/in-flight.js';

/** Counts what came through the tunnel. */
export class TunnelInFlight implements InFlight {
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Map<string, Set<() => void>>();

  count(deployment: string): number {
    return this.#counts.get(deployment) ?? 0;
  }

  /** @returns a function that ends it; later calls of it do nothing */
  begin(deployment: string): () => void {
    this.#counts.set(deployment, this.count(deployment) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#end(deployment);
    };
  }

  whenIdle(deployment: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.count(deployment) === 0) return resolve();
      const waiting = this.#waiters.get(deployment) ?? new Set();
      this.#waiters.set(deployment, waiting);
      const onIdle = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        waiting.delete(onIdle);
        resolve();
      };
      waiting.add(onIdle);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #end(deployment: string): void {
    const left = this.count(deployment) - 1;
    if (left > 0) {
      this.#counts.set(deployment, left);
      return;
    }
    this.#counts.delete(deployment);
    const waiting = this.#waiters.get(deployment);
    this.#waiters.delete(deployment);
    for (const onIdle of waiting ?? []) onIdle();
  }
}

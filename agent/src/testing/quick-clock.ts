import type { Clock, Timer } from '@ai-fabric/shared';

/**
 * A real clock whose time runs `factor` times as fast: for tests with real sockets in which minutes pass. Its wall
 * clock can be set.
 */
export class QuickClock implements Clock {
  readonly #factor: number;
  readonly #startMs = performance.now();
  #wallMs: number;

  constructor(factor: number, wallMs = Date.now()) {
    this.#factor = factor;
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs + this.monotonicMs();
  }

  monotonicMs(): number {
    return (performance.now() - this.#startMs) * this.#factor;
  }

  after(delayMs: number, run: () => void): Timer {
    const handle = setTimeout(run, delayMs / this.#factor);
    return { cancel: () => clearTimeout(handle) };
  }

  every(periodMs: number, run: () => void): Timer {
    const handle = setInterval(run, periodMs / this.#factor);
    return { cancel: () => clearInterval(handle) };
  }

  jumpWallClock(byMs: number): void {
    this.#wallMs += byMs;
  }
}

import type { InflightRange } from './decide/estimate-external-load.js';

/**
 * Our own in-flight count over the last while, in steps of fixed length that keep its least and most. Ten
 * thousand changes a second or none for an hour: the size is the same, and so is the cost of a change.
 */
export class InflightHistory {
  readonly #stepMs: number;
  readonly #least: Int32Array;
  readonly #most: Int32Array;
  #current = 0;
  /** Number of the newest step that is filled in; steps count from time 0 of the clock. */
  #newest: number | null = null;

  constructor(stepMs: number, steps: number) {
    this.#stepMs = stepMs;
    this.#least = new Int32Array(steps);
    this.#most = new Int32Array(steps);
  }

  /** @param atMs monotonic, not before the change recorded last */
  record(atMs: number, inflight: number): void {
    const slot = this.#advance(Math.floor(atMs / this.#stepMs));
    this.#current = inflight;
    if (inflight < (this.#least[slot] as number)) this.#least[slot] = inflight;
    if (inflight > (this.#most[slot] as number)) this.#most[slot] = inflight;
  }

  /**
   * Least and most of every step that the stretch touches. What was before the first change is 0, since nothing
   * was claimed then; `null` when the whole stretch is longer ago than is remembered.
   */
  range(fromMs: number, toMs: number): InflightRange | null {
    if (this.#newest === null) return { least: 0, most: 0 };
    const steps = this.#least.length;
    const last = Math.floor(toMs / this.#stepMs);
    const first = Math.max(Math.floor(fromMs / this.#stepMs), this.#newest - steps + 1);
    if (first > last) return null;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let step = first; step <= Math.min(last, this.#newest); step += 1) {
      const slot = this.#slot(step);
      least = Math.min(least, this.#least[slot] as number);
      most = Math.max(most, this.#most[slot] as number);
    }
    if (last > this.#newest) {
      least = Math.min(least, this.#current);
      most = Math.max(most, this.#current);
    }
    return { least, most };
  }

  /** Fills the steps up to `step` with what stood at their beginning. @returns the slot of the newest */
  #advance(step: number): number {
    const steps = this.#least.length;
    if (this.#newest === null) this.#newest = step;
    for (let next = Math.max(this.#newest + 1, step - steps + 1); next <= step; next += 1) {
      const slot = this.#slot(next);
      this.#least[slot] = this.#current;
      this.#most[slot] = this.#current;
    }
    this.#newest = Math.max(this.#newest, step);
    return this.#slot(this.#newest);
  }

  #slot(step: number): number {
    const steps = this.#least.length;
    return ((step % steps) + steps) % steps;
  }
}

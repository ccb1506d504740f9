import { MEMORY_MS } from './decide/plan-telemetry-query.js';

/** A backfill comes in order, a sample every second or two. */
const SAME_STRETCH_MS = 30_000;
const MAX_STRETCHES = 32;

/** Which stretches of the last 15 minutes were backfilled. */
export class BackfilledTimes {
  #stretches: { fromMs: number; toMs: number }[] = [];

  add(atMs: number): void {
    const last = this.#stretches.at(-1);
    if (last && atMs >= last.fromMs && atMs <= last.toMs + SAME_STRETCH_MS) {
      last.toMs = Math.max(last.toMs, atMs);
      return;
    }
    this.#stretches = this.#stretches.filter(({ toMs }) => toMs >= atMs - MEMORY_MS).slice(1 - MAX_STRETCHES);
    this.#stretches.push({ fromMs: atMs, toMs: atMs });
  }

  has(atMs: number): boolean {
    return this.#stretches.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  }
}

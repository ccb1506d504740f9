import type { RequestRow } from '../request-types.js';

/** Rows that wait to be written, in order; bounded: what is too much pushes out the oldest. */
export class RequestQueue {
  #rows: RequestRow[] = [];
  readonly #bound: number;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** @returns how many rows were lost by it: 0 or 1 */
  add(row: RequestRow): number {
    this.#rows.push(row);
    if (this.#rows.length <= this.#bound) return 0;
    this.#rows.shift();
    return 1;
  }

  take(limit: number): RequestRow[] {
    return this.#rows.splice(0, limit);
  }
}

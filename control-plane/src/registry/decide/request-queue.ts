import type { RequestRow } from '../request-types.js';
import { type RequestPack, RequestPacker } from './request-pack.js';

/** So many rows go into a pack: some of them, and as many observations, are a batch. */
export const PACK_ROWS = 25;

/** Rows that wait to be written, in order and packed; bounded: what is too much pushes out the oldest pack. */
export class RequestQueue {
  readonly #maxPacks: number;
  readonly #packs: RequestPack[] = [];
  #open = new RequestPacker(PACK_ROWS);

  /** @param bound in rows: to whole packs of `PACK_ROWS` */
  constructor(bound: number) {
    this.#maxPacks = Math.max(1, Math.floor(bound / PACK_ROWS) - 1);
  }

  get rowCount(): number {
    return this.#packs.reduce((sum, { rowCount }) => sum + rowCount, this.#open.rowCount);
  }

  /** @returns how many rows were lost by it */
  add(row: RequestRow): number {
    this.#open.add(row);
    if (!this.#open.isFull) return 0;
    this.#seal();
    return this.#packs.length > this.#maxPacks ? (this.#packs.shift()?.rowCount ?? 0) : 0;
  }

  take(packs: number): RequestPack[] {
    if (this.#packs.length < packs && this.#open.rowCount > 0) this.#seal();
    return this.#packs.splice(0, packs);
  }

  #seal(): void {
    this.#packs.push(this.#open.pack());
    this.#open = new RequestPacker(PACK_ROWS);
  }
}

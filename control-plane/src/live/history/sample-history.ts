import type { TelemetrySample } from '@ai-fabric/shared';
import { BLOCK_ROWS } from './column-block.js';
import { HistoryChunk } from './history-chunk.js';

/** How far back the live view remembers. */
export const HISTORY_MS = 15 * 60_000;

/** Bounds a host that reports far too often: 15 minutes at two samples a second, and some. */
const MAX_CHUNKS = 16;

/**
 * The last 15 minutes of one host in a compact form, in order of time whatever the order of arrival. Values come
 * back as `ColumnBlock` keeps them: to a 65,000th of their movement within two minutes.
 */
export class SampleHistory {
  /** In order of time; none is empty. */
  #chunks: HistoryChunk[] = [];

  get sampleCount(): number {
    let count = 0;
    for (const chunk of this.#chunks) count += chunk.times.length;
    return count;
  }

  /** @param sample `atMs` on the server's clock; of two at the same time the later call stands behind */
  insert(sample: TelemetrySample): void {
    const last = this.#chunks.at(-1);
    if (!last || sample.atMs >= (last.times.at(-1) as number)) this.#append(last, sample);
    else this.#insertInPlace(sample);
    while (this.#chunks.length > MAX_CHUNKS) this.#chunks.shift();
  }

  /** Samples with `fromMs <= atMs <= toMs`, oldest first, as new values. */
  between(fromMs: number, toMs: number): TelemetrySample[] {
    const samples: TelemetrySample[] = [];
    for (const chunk of this.#chunks) {
      const times = chunk.times;
      if ((times[0] as number) > toMs) break;
      if ((times.at(-1) as number) < fromMs) continue;
      for (let row = 0; row < times.length; row += 1) {
        const atMs = times[row] as number;
        if (atMs >= fromMs && atMs <= toMs) samples.push(chunk.read(row));
      }
    }
    return samples;
  }

  /** Lets go of whole stretches that ended before `atMs`. */
  forgetBefore(atMs: number): void {
    while (this.#chunks.length > 0 && (this.#chunks[0]?.times.at(-1) as number) < atMs) this.#chunks.shift();
  }

  /** Lets go of every sample after `atMs`: the server's clock was set back, and they would seem to be to come. */
  forgetAfter(atMs: number): void {
    for (let last = this.#chunks.at(-1); last; last = this.#chunks.at(-1)) {
      if ((last.times.at(-1) as number) <= atMs) return;
      this.#chunks.pop();
      const keep = rowAfter(last.times, atMs);
      if (keep > 0) this.#chunks.push(last.slice(0, keep));
    }
  }

  #append(last: HistoryChunk | undefined, sample: TelemetrySample): void {
    let chunk = last;
    if (!chunk || chunk.isFull) {
      chunk = new HistoryChunk();
      this.#chunks.push(chunk);
    }
    chunk.insert(chunk.times.length, sample);
  }

  #insertInPlace(sample: TelemetrySample): void {
    // The last chunk that begins at or before it; the first when it is older than all.
    let index = this.#chunks.length - 1;
    while (index > 0 && (this.#chunks[index]?.times[0] as number) > sample.atMs) index -= 1;
    const chunk = this.#chunks[index] as HistoryChunk;
    const row = rowAfter(chunk.times, sample.atMs);
    if (!chunk.isFull) {
      chunk.insert(row, sample);
      return;
    }
    // A backfill comes oldest first: the stretch that this opens takes the samples after it too.
    const opened = new HistoryChunk();
    opened.insert(0, sample);
    const parts = [chunk.slice(0, row), opened, chunk.slice(row, BLOCK_ROWS)];
    const replacement = row === 0 ? [opened, chunk] : row === BLOCK_ROWS ? [chunk, opened] : parts;
    this.#chunks.splice(index, 1, ...replacement);
  }
}

/** The first row later than `atMs`. */
function rowAfter(times: readonly number[], atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

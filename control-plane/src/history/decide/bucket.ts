/**
 * One stretch of one series, rolled up: a flat array of numbers, so that adding a sample to it makes no object and the
 * registry's thread gets it by one copy. First four of the whole, then six of each field.
 */
export type Bucket = Float64Array;

/** Places of the whole: samples, those of them that were backfilled, bits that were ever set, time of the newest. */
export const SAMPLES = 0;
export const BACKFILLED = 1;
/** −1: none of the samples had any. */
export const BITS = 2;
export const NEWEST_AT = 3;
const HEAD = 4;

/** Places within a field. `LAST_AT`: milliseconds, of the value in `LAST`. */
export const COUNT = 0;
export const SUM = 1;
export const MIN = 2;
export const MAX = 3;
export const LAST = 4;
export const LAST_AT = 5;
const STRIDE = 6;

export function emptyBucket(fieldCount: number): Bucket {
  const bucket = new Float64Array(HEAD + fieldCount * STRIDE);
  bucket[BITS] = -1;
  bucket[NEWEST_AT] = Number.NEGATIVE_INFINITY;
  for (let field = 0; field < fieldCount; field += 1) {
    const at = fieldAt(field);
    bucket[at + MIN] = Number.POSITIVE_INFINITY;
    bucket[at + MAX] = Number.NEGATIVE_INFINITY;
    bucket[at + LAST] = Number.NaN;
    bucket[at + LAST_AT] = Number.NEGATIVE_INFINITY;
  }
  return bucket;
}

/** Where a field's six numbers begin. */
export function fieldAt(field: number): number {
  return HEAD + field * STRIDE;
}

export function fieldCountOf(bucket: Bucket): number {
  return (bucket.length - HEAD) / STRIDE;
}

/** Counts one sample; its values follow by `addValue`. @param bits 0 for none set, −1 for not known */
export function addSample(bucket: Bucket, atMs: number, backfilled: boolean, bits: number): void {
  bucket[SAMPLES] = num(bucket, SAMPLES) + 1;
  if (backfilled) bucket[BACKFILLED] = num(bucket, BACKFILLED) + 1;
  bucket[BITS] = joinBits(num(bucket, BITS), bits);
  if (atMs > num(bucket, NEWEST_AT)) bucket[NEWEST_AT] = atMs;
}

/** NaN is no value. Of two at the same time the one that comes later counts as the last. */
export function addValue(bucket: Bucket, field: number, atMs: number, value: number): void {
  if (!Number.isFinite(value)) return;
  const at = fieldAt(field);
  bucket[at + COUNT] = num(bucket, at + COUNT) + 1;
  bucket[at + SUM] = num(bucket, at + SUM) + value;
  if (value < num(bucket, at + MIN)) bucket[at + MIN] = value;
  if (value > num(bucket, at + MAX)) bucket[at + MAX] = value;
  if (atMs < num(bucket, at + LAST_AT)) return;
  bucket[at + LAST] = value;
  bucket[at + LAST_AT] = atMs;
}

/** Adds what `from` holds. Buckets may be merged in any order and grouping; sums then differ by their rounding alone. */
export function mergeBucket(into: Bucket, from: Bucket): void {
  into[SAMPLES] = num(into, SAMPLES) + num(from, SAMPLES);
  into[BACKFILLED] = num(into, BACKFILLED) + num(from, BACKFILLED);
  into[BITS] = joinBits(num(into, BITS), num(from, BITS));
  into[NEWEST_AT] = Math.max(num(into, NEWEST_AT), num(from, NEWEST_AT));
  const end = Math.min(into.length, from.length);
  for (let at = HEAD; at < end; at += STRIDE) {
    if (num(from, at + COUNT) === 0) continue;
    into[at + COUNT] = num(into, at + COUNT) + num(from, at + COUNT);
    into[at + SUM] = num(into, at + SUM) + num(from, at + SUM);
    into[at + MIN] = Math.min(num(into, at + MIN), num(from, at + MIN));
    into[at + MAX] = Math.max(num(into, at + MAX), num(from, at + MAX));
    if (num(from, at + LAST_AT) < num(into, at + LAST_AT)) continue;
    into[at + LAST] = num(from, at + LAST);
    into[at + LAST_AT] = num(from, at + LAST_AT);
  }
}

function joinBits(one: number, other: number): number {
  if (one < 0) return other;
  return other < 0 ? one : one | other;
}

/** Every index is within the array: its length is the fields'. */
function num(bucket: Bucket, at: number): number {
  return bucket[at] as number;
}

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
  const bucket = new Float64Array(bucketLength(fieldCount));
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

/** Numbers of a bucket with so many fields. */
export function bucketLength(fieldCount: number): number {
  return HEAD + fieldCount * STRIDE;
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
  mergeSelected(into, 0, from, null);
}

/** In `FieldPlaces`: nobody asked for the field. */
export const LEFT_OUT = -1;

/**
 * Of a bucket that has room for some fields alone: where the six numbers of each are, or `LEFT_OUT`. Fields beyond its
 * end are left out too. `null`: there is room for all.
 */
export type FieldPlaces = Int16Array | null;

/** As `mergeBucket`. @param at where the bucket begins in `into`, which may hold others beside it */
export function mergeSelected(into: Float64Array, at: number, from: Bucket, places: FieldPlaces): void {
  mergeHead(into, at, num(from, SAMPLES), num(from, BACKFILLED), num(from, BITS), num(from, NEWEST_AT));
  const fieldCount = places === null ? fieldCountOf(into) : places.length;
  for (let field = 0; field < Math.min(fieldCount, fieldCountOf(from)); field += 1) {
    const own = fieldAt(field);
    const place = places === null ? own : (places[field] as number);
    const count = num(from, own + COUNT);
    if (count === 0 || place === LEFT_OUT) continue;
    const sum = num(from, own + SUM);
    const min = num(from, own + MIN);
    const max = num(from, own + MAX);
    mergeField(into, at + place, count, sum, min, max, num(from, own + LAST), num(from, own + LAST_AT));
  }
}

/** @param at where the bucket begins in `into`, which may hold others beside it */
export function mergeHead(
  into: Float64Array,
  at: number,
  samples: number,
  backfilled: number,
  bits: number,
  newestAtMs: number,
): void {
  into[at + SAMPLES] = num(into, at + SAMPLES) + samples;
  into[at + BACKFILLED] = num(into, at + BACKFILLED) + backfilled;
  into[at + BITS] = joinBits(num(into, at + BITS), bits);
  if (newestAtMs > num(into, at + NEWEST_AT)) into[at + NEWEST_AT] = newestAtMs;
}

/** @param at where the field's six numbers begin @param count at least 1 */
export function mergeField(
  into: Float64Array,
  at: number,
  count: number,
  sum: number,
  min: number,
  max: number,
  last: number,
  lastAtMs: number,
): void {
  into[at + COUNT] = num(into, at + COUNT) + count;
  into[at + SUM] = num(into, at + SUM) + sum;
  if (min < num(into, at + MIN)) into[at + MIN] = min;
  if (max > num(into, at + MAX)) into[at + MAX] = max;
  if (lastAtMs < num(into, at + LAST_AT)) return;
  into[at + LAST] = last;
  into[at + LAST_AT] = lastAtMs;
}

function joinBits(one: number, other: number): number {
  if (one < 0) return other;
  return other < 0 ? one : one | other;
}

/** Every index is within the array: its length is the fields'. */
function num(bucket: Float64Array, at: number): number {
  return bucket[at] as number;
}

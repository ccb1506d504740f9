import {
  BACKFILLED,
  BITS,
  type Bucket,
  COUNT,
  emptyBucket,
  type FieldPlaces,
  fieldAt,
  fieldCountOf,
  LAST,
  LAST_AT,
  LEFT_OUT,
  MAX,
  MIN,
  mergeField,
  mergeHead,
  NEWEST_AT,
  SAMPLES,
  SUM,
} from './bucket.js';
import { ByteReader, ByteWriter } from './packed-numbers.js';

/** Bits of a field's first byte. The constant's number has its form in the two bits above them. */
const ABSENT = 0;
const CONSTANT = 1;
const VARYING = 2;
const KIND = 3;
const OWN_COUNT = 4;
const OWN_LAST_AT = 8;
const FORM_SHIFT = 4;

const writer = new ByteWriter();
const reader = new ByteReader();

/**
 * A bucket as the bytes of a registry row: what is as everywhere (a value that never moved, a field that every sample
 * had) takes no room of its own, and each number the shortest form that gives it back unchanged. Sums alone are cleared
 * of the rounding that adding up left in them.
 *
 * @param startMs where the bucket begins: its times are kept as distances from it
 */
export function encodeBucket(bucket: Bucket, startMs: number): Uint8Array {
  const fieldCount = fieldCountOf(bucket);
  writer.reset();
  writer.count(fieldCount);
  writer.count(bucket[SAMPLES] as number);
  writer.count(bucket[BACKFILLED] as number);
  writer.count((bucket[BITS] as number) + 1);
  writer.count(Math.max(0, Math.round((bucket[NEWEST_AT] as number) - startMs)));
  for (let field = 0; field < fieldCount; field += 1) encodeField(bucket, fieldAt(field), startMs);
  return writer.bytes();
}

function encodeField(bucket: Bucket, at: number, startMs: number): void {
  const count = bucket[at + COUNT] as number;
  if (count === 0) {
    writer.byte(ABSENT);
    return;
  }
  const min = bucket[at + MIN] as number;
  const lastAtMs = bucket[at + LAST_AT] as number;
  const constant = min === bucket[at + MAX];
  const ownCount = count !== bucket[SAMPLES];
  const ownLastAt = lastAtMs !== bucket[NEWEST_AT];
  const flags = (constant ? CONSTANT : VARYING) | (ownCount ? OWN_COUNT : 0) | (ownLastAt ? OWN_LAST_AT : 0);
  const place = writer.byte(flags);
  if (ownCount) writer.count(count);
  if (ownLastAt) writer.count(Math.max(0, Math.round(lastAtMs - startMs)));
  if (constant) {
    writer.patch(place, flags | (writer.number(min) << FORM_SHIFT));
    return;
  }
  const forms = writer.byte(0);
  writer.patch(
    forms,
    writer.sum(bucket[at + SUM] as number) |
      (writer.number(min) << 2) |
      (writer.number(bucket[at + MAX] as number) << 4) |
      (writer.number(bucket[at + LAST] as number) << 6),
  );
}

/** A row's bytes, which may lie among those of others: a view of each of thousands would cost more than reading it. */
export interface PackedBucket {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
}

/**
 * The way back from `encodeBucket`.
 *
 * @param fieldCount fields of the series today: those that a row of an older program lacks are empty
 */
export function decodeBucket(bytes: Uint8Array, startMs: number, fieldCount: number): Bucket {
  const packed = { bytes, at: 0, end: bytes.length };
  const bucket = emptyBucket(Math.max(reader.begin(bytes, 0, bytes.length).count(), fieldCount));
  mergePacked(bucket, 0, packed, startMs, null);
  return bucket;
}

/**
 * Adds what a row holds to a bucket, as `mergeBucket` does, without unpacking what nobody asked for: a chart reads
 * thousands of rows.
 *
 * @param at where the bucket begins in `into`, which may hold others beside it
 */
export function mergePacked(
  into: Float64Array,
  at: number,
  packed: PackedBucket,
  startMs: number,
  places: FieldPlaces,
): void {
  const stored = reader.begin(packed.bytes, packed.at, packed.end).count();
  const samples = reader.count();
  const backfilled = reader.count();
  const bits = reader.count() - 1;
  const newestAtMs = startMs + reader.count();
  mergeHead(into, at, samples, backfilled, bits, newestAtMs);
  // What follows the last field that is wanted need not be unpacked, nor walked over.
  const fields = places === null ? stored : Math.min(stored, places.length);
  for (let field = 0; field < fields; field += 1) {
    const flags = reader.byte();
    const kind = flags & KIND;
    if (kind === ABSENT) continue;
    const count = flags & OWN_COUNT ? reader.count() : samples;
    const lastAtMs = flags & OWN_LAST_AT ? startMs + reader.count() : newestAtMs;
    const place = places === null ? fieldAt(field) : (places[field] as number);
    if (kind === CONSTANT) {
      const form = flags >> FORM_SHIFT;
      if (place === LEFT_OUT) reader.skipNumber(form);
      else {
        const value = reader.number(form);
        mergeField(into, at + place, count, value * count, value, value, value, lastAtMs);
      }
      continue;
    }
    const forms = reader.byte();
    if (place === LEFT_OUT) {
      for (let shift = 0; shift < 8; shift += 2) reader.skipNumber((forms >> shift) & 3);
      continue;
    }
    const sum = reader.number(forms & 3);
    const min = reader.number((forms >> 2) & 3);
    const max = reader.number((forms >> 4) & 3);
    mergeField(into, at + place, count, sum, min, max, reader.number(forms >> 6), lastAtMs);
  }
}

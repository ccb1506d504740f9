import {
  BACKFILLED,
  BITS,
  type Bucket,
  COUNT,
  emptyBucket,
  fieldAt,
  fieldCountOf,
  LAST,
  LAST_AT,
  MAX,
  MIN,
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

/**
 * The way back from `encodeBucket`.
 *
 * @param fieldCount fields of the series today: those that a row of an older program lacks are empty
 */
export function decodeBucket(bytes: Uint8Array, startMs: number, fieldCount: number): Bucket {
  const reader = new ByteReader(bytes);
  const stored = reader.count();
  const bucket = emptyBucket(Math.max(stored, fieldCount));
  bucket[SAMPLES] = reader.count();
  bucket[BACKFILLED] = reader.count();
  bucket[BITS] = reader.count() - 1;
  bucket[NEWEST_AT] = startMs + reader.count();
  for (let field = 0; field < stored; field += 1) decodeField(reader, bucket, fieldAt(field), startMs);
  return bucket;
}

function decodeField(reader: ByteReader, bucket: Bucket, at: number, startMs: number): void {
  const flags = reader.byte();
  const kind = flags & KIND;
  if (kind === ABSENT) return;
  const count = flags & OWN_COUNT ? reader.count() : (bucket[SAMPLES] as number);
  bucket[at + COUNT] = count;
  bucket[at + LAST_AT] = flags & OWN_LAST_AT ? startMs + reader.count() : (bucket[NEWEST_AT] as number);
  if (kind === CONSTANT) {
    const value = reader.number(flags >> FORM_SHIFT);
    bucket[at + SUM] = value * count;
    bucket[at + MIN] = value;
    bucket[at + MAX] = value;
    bucket[at + LAST] = value;
    return;
  }
  const forms = reader.byte();
  bucket[at + SUM] = reader.number(forms & 3);
  bucket[at + MIN] = reader.number((forms >> 2) & 3);
  bucket[at + MAX] = reader.number((forms >> 4) & 3);
  bucket[at + LAST] = reader.number(forms >> 6);
}

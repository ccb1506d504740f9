import { USAGE_DIMENSIONS, type UsageDimension } from './request-types.js';

/* A sum's key, from its highest bits: the dimension (2), the hour or day since 1970 (24), the name's number (16). */

/** More than the log keeps names: `request-names.ts`. */
const NAME_SPAN = 2 ** 16;
const BUCKET_SPAN = 2 ** 24;

/**
 * @param bucket hours or days since 1970, UTC
 * @param nameId 0, which no name has: before the first sum of the bucket
 */
export function usageKey(dimension: UsageDimension, bucket: number, nameId = 0): number {
  const within = Math.min(BUCKET_SPAN - 1, Math.max(0, Math.floor(bucket)));
  return (USAGE_DIMENSIONS.indexOf(dimension) * BUCKET_SPAN + within) * NAME_SPAN + nameId;
}

export function bucketOfKey(key: number): number {
  return Math.floor(key / NAME_SPAN) % BUCKET_SPAN;
}

export function nameOfKey(key: number): number {
  return key % NAME_SPAN;
}

/** SQL for the key of a dimension's first sum in the bucket that an SQL expression tells. */
export function sqlUsageKey(dimension: UsageDimension, bucketSql: string): string {
  return `(${usageKey(dimension, 0)} + ${bucketSql} * ${NAME_SPAN})`;
}

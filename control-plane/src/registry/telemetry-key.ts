import type { Tier } from '../history/decide/tiers.js';

/* A row's key, from its highest bits: the series (23), the tier (2), the bucket's number since 1970 (28). */

const TIER_SPAN = 2 ** 28;
const SERIES_SPAN = 2 ** 30;

/** The key of the bucket that holds this moment. */
export function telemetryKey(seriesId: number, tier: Tier, atMs: number): number {
  const bucket = Math.min(TIER_SPAN - 1, Math.max(0, Math.floor(atMs / tier.stepMs)));
  return seriesId * SERIES_SPAN + tier.index * TIER_SPAN + bucket;
}

export function startOfKey(key: number, tier: Tier): number {
  return (key % TIER_SPAN) * tier.stepMs;
}

export function seriesOfKey(key: number): number {
  return Math.floor(key / SERIES_SPAN);
}

/** The first key that no bucket of this series or one before it has. */
export function keyAfterSeries(seriesId: number): number {
  return (seriesId + 1) * SERIES_SPAN;
}

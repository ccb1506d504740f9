const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A resolution in which the registry keeps telemetry, and for how long. */
export interface Tier {
  /** Part of the rows' keys: never changed. */
  readonly index: number;
  readonly name: '1m' | '10m' | '2h';
  readonly stepMs: number;
  readonly keepMs: number;
}

/** Finest first; each step is a whole number of the one before it. */
export const tiers: readonly [Tier, Tier, Tier] = [
  { index: 0, name: '1m', stepMs: MINUTE_MS, keepMs: DAY_MS },
  { index: 1, name: '10m', stepMs: 10 * MINUTE_MS, keepMs: 14 * DAY_MS },
  { index: 2, name: '2h', stepMs: 2 * HOUR_MS, keepMs: 400 * DAY_MS },
];

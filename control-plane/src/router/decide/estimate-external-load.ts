/** What others have in the same engine, as known at one moment. */
export interface ExternalLoad {
  /** Requests; not an integer, because it decays. */
  readonly requests: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export interface ExternalLoadSettings {
  /**
   * A gauge read now may tell the engine's state of up to this long ago. vLLM's lag 3–6 s in steady state
   * (vllm-project/vllm #49538).
   */
  readonly gaugeLagMs: number;
  /** Without news, half of it is forgotten after this long. */
  readonly halfLifeMs: number;
}

/** Our own in-flight count over a stretch of time. */
export interface InflightRange {
  readonly least: number;
  readonly most: number;
}

/** What an earlier estimate is still worth at `nowMs`: requests. */
export function externalLoadAt(
  estimate: ExternalLoad | null,
  nowMs: number,
  settings: ExternalLoadSettings,
): number {
  if (estimate === null) return 0;
  const ageMs = nowMs - estimate.atMs;
  return ageMs <= 0 ? estimate.requests : estimate.requests * 2 ** (-ageMs / settings.halfLifeMs);
}

/**
 * Takes one reading into account: `external = max(0, reported − own in-flight at that time)`.
 *
 * "That time" is not known: the gauge lags by anything from nothing to `gaugeLagMs`, so our own count at the
 * moment it tells of lay somewhere between the least and the most of that window. External load therefore lies
 * between `reported − most` and `reported − least`, and the earlier estimate, decayed, is moved into that range
 * and no further:
 * - While our count stands still the range is one number, and the estimate is exact.
 * - While it moves, an earlier estimate that is still possible is kept. Without one the low end is taken:
 *   others are believed in only when no moment of the window would explain the gauge by our own requests. The
 *   high end would make a replica look busy for seconds after our own burst on it has ended, which is the
 *   very failure of routers that trust lagging gauges; the low end at worst falls back to counting our own.
 *
 * @param reported running + waiting by the engine's gauges; `null`: not told, then the past alone counts
 * @param own over the window that the reading may tell of; `null`: longer ago than we remember
 * @param readingAtMs monotonic milliseconds, when the gauge was read
 */
export function estimateExternalLoad(
  previous: ExternalLoad | null,
  reported: number | null,
  own: InflightRange | null,
  readingAtMs: number,
  settings: ExternalLoadSettings,
): ExternalLoad | null {
  if (reported === null || own === null) return previous;
  // Readings may arrive out of order after a backfill: an older one says nothing new.
  if (previous !== null && readingAtMs < previous.atMs) return previous;
  const low = Math.max(0, reported - own.most);
  const high = Math.max(0, reported - own.least);
  const remembered = externalLoadAt(previous, readingAtMs, settings);
  return { requests: Math.min(Math.max(remembered, low), high), atMs: readingAtMs };
}

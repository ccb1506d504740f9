/** How far an engine is from what its rates say, as the logarithm of a ratio; changed in place. */
export interface DriftState {
  logRatio: number;
  /** Monotonic milliseconds. */
  atMs: number;
}

interface Forgetting {
  /** Without news half of it is forgotten after this long. */
  readonly halfLifeMs: number;
}

/** Of what is told by one thing after the other, each counting the same. */
export interface DriftSettings extends Forgetting {
  /** Share of the newest observation. */
  readonly smoothing: number;
}

/** Of what is watched for a time. */
export interface PaceDriftSettings extends Forgetting {
  /** What was believed before counts half after so long a watch. */
  readonly seenHalfLifeMs: number;
}

export interface DriftBand {
  /** Deviations within this are noise. */
  readonly deadBand: number;
  readonly least: number;
  readonly most: number;
}

export function freshDrift(): DriftState {
  return { logRatio: 0, atMs: 0 };
}

/** @param logRatio ln(seen / predicted) of one answer */
export function stepDrift(state: DriftState, logRatio: number, nowMs: number, settings: DriftSettings): void {
  if (!Number.isFinite(logRatio)) return;
  const before = driftAt(state, nowMs, settings);
  state.logRatio = before + (logRatio - before) * settings.smoothing;
  state.atMs = nowMs;
}

/**
 * As long a watch counts the same however it is cut into pieces: nothing is forgotten while it lasts, and its share grows with it.
 *
 * @param logRatio ln(seen / predicted) of a stretch of time that ends now
 * @param spanMs how long something was to be seen in it
 */
export function watchDrift(
  state: DriftState,
  logRatio: number,
  spanMs: number,
  nowMs: number,
  settings: PaceDriftSettings,
): void {
  if (!Number.isFinite(logRatio) || !(spanMs > 0)) return;
  const before = driftAt(state, nowMs - spanMs, settings);
  const kept = 2 ** (-spanMs / settings.seenHalfLifeMs);
  state.logRatio = logRatio + (before - logRatio) * kept;
  state.atMs = nowMs;
}

export function driftAt(state: DriftState, nowMs: number, { halfLifeMs }: Forgetting): number {
  const ageMs = nowMs - state.atMs;
  return ageMs <= 0 ? state.logRatio : state.logRatio * 2 ** (-ageMs / halfLifeMs);
}

/**
 * What costs are multiplied by: the worse of two witnesses, the pace of streams under way and the times of requests that
 * ended, each less a dead band. Both are our own observations: no gauge can be late in them.
 */
export function driftFactor(live: number, done: number, band: DriftBand): number {
  const worse = Math.max(beyond(live, band.deadBand), beyond(done, band.deadBand));
  return Math.exp(Math.min(Math.max(worse, band.least), band.most));
}

function beyond(value: number, deadBand: number): number {
  return Math.sign(value) * Math.max(0, Math.abs(value) - deadBand);
}

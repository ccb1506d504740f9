/** How far an engine is from what its rates say, as the logarithm of a ratio; changed in place. */
export interface DriftState {
  logRatio: number;
  /** Monotonic milliseconds. */
  atMs: number;
}

export interface DriftSettings {
  readonly halfLifeMs: number;
  /** Share of the newest observation. */
  readonly smoothing: number;
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

/** @param logRatio ln(seen / predicted) */
export function stepDrift(state: DriftState, logRatio: number, nowMs: number, settings: DriftSettings): void {
  if (!Number.isFinite(logRatio)) return;
  const before = driftAt(state, nowMs, settings);
  state.logRatio = before + (logRatio - before) * settings.smoothing;
  state.atMs = nowMs;
}

export function driftAt(state: DriftState, nowMs: number, settings: DriftSettings): number {
  const ageMs = nowMs - state.atMs;
  return ageMs <= 0 ? state.logRatio : state.logRatio * 2 ** (-ageMs / settings.halfLifeMs);
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

export interface LagSettings {
  /** Share of the newest reading. */
  readonly smoothing: number;
  /** Before so many nothing is concluded. */
  readonly leastReadings: number;
  /** Our own count must have moved by at least this (a variance): a still one fits every lag. */
  readonly leastVariance: number;
  /** A lag is believed where it explains the readings by so much better than the median one. */
  readonly betterThan: number;
  /** Around a lag that is believed. */
  readonly marginMs: number;
}

/** How late an engine's gauges are, by which of our own earlier counts they follow best; changed in place. */
export interface LagState {
  readonly means: Float64Array;
  readonly variances: Float64Array;
  ownMean: number;
  ownVariance: number;
  readings: number;
}

/** Milliseconds. */
export const LAG_CANDIDATES: readonly number[] = [
  0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 18_000,
];

export function freshLag(): LagState {
  const length = LAG_CANDIDATES.length;
  return {
    means: new Float64Array(length),
    variances: new Float64Array(length),
    ownMean: 0,
    ownVariance: 0,
    readings: 0,
  };
}

/**
 * @param reported requests in the engine by its gauges
 * @param ownAt our own count so many milliseconds before the reading
 */
export function learnLag(
  state: LagState,
  reported: number,
  ownAt: (lagMs: number) => number,
  settings: LagSettings,
): void {
  const { means, variances } = state;
  const share = state.readings === 0 ? 1 : settings.smoothing;
  const own = ownAt(0);
  const ownDelta = own - state.ownMean;
  state.ownMean += share * ownDelta;
  state.ownVariance = (1 - share) * (state.ownVariance + share * ownDelta * ownDelta);
  for (let index = 0; index < LAG_CANDIDATES.length; index++) {
    const others = reported - ownAt(LAG_CANDIDATES[index] as number);
    const delta = others - (means[index] as number);
    means[index] = (means[index] as number) + share * delta;
    variances[index] = (1 - share) * ((variances[index] as number) + share * delta * delta);
  }
  state.readings += 1;
}

/** @returns milliseconds, or `null` while nothing can be concluded */
export function learnedLag(state: LagState, settings: LagSettings): number | null {
  if (state.readings < settings.leastReadings || state.ownVariance <= settings.leastVariance) return null;
  let best = 0;
  for (let index = 1; index < LAG_CANDIDATES.length; index++) {
    if ((state.variances[index] as number) < (state.variances[best] as number)) best = index;
  }
  const sorted = Float64Array.from(state.variances).sort();
  const median = sorted[LAG_CANDIDATES.length >> 1] as number;
  const isBetter = (state.variances[best] as number) <= settings.betterThan * median;
  return isBetter ? (LAG_CANDIDATES[best] as number) : null;
}

/** How long before a reading the moment lies that it tells of. */
export interface LagWindow {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** @param usualMs where the lag is not known, it is taken for anything up to this */
export function lagWindow(lagMs: number | null, usualMs: number, settings: LagSettings): LagWindow {
  if (lagMs === null) return { leastMs: 0, mostMs: usualMs };
  return { leastMs: Math.max(0, lagMs - settings.marginMs), mostMs: lagMs + settings.marginMs };
}

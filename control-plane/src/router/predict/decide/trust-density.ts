/** How well the bytes of a token were told by prompts so far. One object is brought up to date in place. */
export interface DensityTrust {
  observations: number;
  /** Of late, by how much a prompt was usually off what was believed: the mean of |ln|. */
  deviation: number;
}

/** So many prompts must have been seen … */
const LEAST_OBSERVATIONS = 20;
/** … of which the latest were off by about as much as this. */
const MOST_DEVIATION = 0.15;
/** Share of the newest. */
const SMOOTHING = 0.1;

export function freshDensityTrust(): DensityTrust {
  return { observations: 0, deviation: 1 };
}

/** @param ratio bytes a token of a prompt, of those that were believed before it */
export function noteDensity(trust: DensityTrust, ratio: number): void {
  trust.observations += 1;
  trust.deviation += (Math.abs(Math.log(ratio)) - trust.deviation) * SMOOTHING;
}

/** Whether prompts may be measured by it. A mixture of languages, or a belief that still moves, is not known. */
export function isDensityKnown({ observations, deviation }: DensityTrust): boolean {
  return observations >= LEAST_OBSERVATIONS && deviation <= MOST_DEVIATION;
}

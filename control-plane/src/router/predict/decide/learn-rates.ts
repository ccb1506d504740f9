import type { Rates } from '../predict-types.js';

export interface LearnSettings {
  /** Observations after which an earlier one counts half. */
  readonly halfLife: number;
  /** What the prior weighs, in observations. */
  readonly priorWeight: number;
  /** No rate falls below this share of its prior. */
  readonly leastOfPrior: number;
  /** Before so many all count in full: the prior may be far off. */
  readonly warmUp: number;
  /** Deviations beyond so many times the usual one weigh less and less (Huber). */
  readonly outlier: number;
  /** So many observations in a row, all to one side … */
  readonly jumpLength: number;
  /** … by more than this (a logarithm), mean that the engine is another one: most of what was learned is dropped. */
  readonly jumpBeyond: number;
  /** What is kept of it then. */
  readonly jumpKeeps: number;
}

/** Changed in place, and the same object for ever: it is fed with each answer. */
export interface RateState {
  readonly prior: Writable<Rates>;
  readonly rates: Writable<Rates>;
  /** Upper triangle of the normal matrix: aa, ac, ap, cc, cp, pp. */
  readonly normal: Float64Array;
  readonly target: Float64Array;
  /** Usual deviation, as a logarithm. */
  scale: number;
  observations: number;
  /** How many of the latest observations deviate to the same side by more than `jumpBeyond`; negative: were faster. */
  oneSided: number;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A stretch of an engine's time: `seconds = a·iterations + c·decodingIterations + p·promptTokens`. One object, reused. */
export interface RateObservation {
  iterations: number;
  /** Sum over the iterations of how many answers were being written. */
  decodingIterations: number;
  /** Prompt tokens that were read meanwhile, of all requests. */
  promptTokens: number;
  seconds: number;
  /** 0–1. */
  trust: number;
}

const FIRST_SCALE = 0.5;
const LEAST_SCALE = 0.05;
const MOST_DEVIATION = 2;
const ROUNDS = 12;
/** What takes less was not timed. */
const LEAST_SECONDS = 1e-7;

export function freshRates(prior: Rates): RateState {
  return {
    prior: { ...prior },
    rates: { ...prior },
    normal: new Float64Array(6),
    target: new Float64Array(3),
    scale: FIRST_SCALE,
    observations: 0,
    oneSided: 0,
  };
}

/** Begins anew from another prior. */
export function restartRates(state: RateState, prior: Rates): void {
  Object.assign(state.prior, prior);
  Object.assign(state.rates, prior);
  state.normal.fill(0);
  state.target.fill(0);
  state.scale = FIRST_SCALE;
  state.observations = 0;
  state.oneSided = 0;
}

/**
 * Robust recursive least squares on relative errors: recovers the three rates from whole requests, whose times mix them.
 * What was never seen (a card that got no long prompt yet) stays at the prior.
 *
 * @returns ln(seen / predicted), as it was before learning; NaN where the observation says nothing
 */
export function learnRates(state: RateState, seen: RateObservation, settings: LearnSettings): number {
  const { rates } = state;
  const x0 = seen.iterations;
  const x1 = seen.decodingIterations;
  const x2 = seen.promptTokens;
  const expected =
    rates.iterationSeconds * x0 + rates.perDecodingSeconds * x1 + rates.perPromptTokenSeconds * x2;
  const deviation = Math.log(seen.seconds / expected);
  const isSane = seen.seconds > LEAST_SECONDS && expected > LEAST_SECONDS && Number.isFinite(deviation);
  if (!isSane) return Number.NaN;
  if (seen.trust <= 0) return deviation;
  const isWarmingUp = state.observations < settings.warmUp;
  const size = Math.abs(deviation);
  const usual = isWarmingUp ? 1 : Math.min(1, (settings.outlier * state.scale) / size);
  const pace = isWarmingUp ? 0.2 : 0.03;
  state.scale = Math.max(LEAST_SCALE, state.scale + (Math.min(size, MOST_DEVIATION) - state.scale) * pace);
  state.observations += 1;
  noteSide(state, deviation, isWarmingUp, settings);
  const weight = (usual * seen.trust) / (seen.seconds * expected);
  const keep = 2 ** (-1 / settings.halfLife);
  const { normal, target } = state;
  normal[0] = (normal[0] as number) * keep + weight * x0 * x0;
  normal[1] = (normal[1] as number) * keep + weight * x0 * x1;
  normal[2] = (normal[2] as number) * keep + weight * x0 * x2;
  normal[3] = (normal[3] as number) * keep + weight * x1 * x1;
  normal[4] = (normal[4] as number) * keep + weight * x1 * x2;
  normal[5] = (normal[5] as number) * keep + weight * x2 * x2;
  target[0] = (target[0] as number) * keep + weight * x0 * seen.seconds;
  target[1] = (target[1] as number) * keep + weight * x1 * seen.seconds;
  target[2] = (target[2] as number) * keep + weight * x2 * seen.seconds;
  solve(state, settings);
  return deviation;
}

/** A new driver or another power limit changes an engine at once, and for good; an outlier does not come in a row. */
function noteSide(state: RateState, deviation: number, isWarmingUp: boolean, settings: LearnSettings): void {
  if (isWarmingUp || Math.abs(deviation) < settings.jumpBeyond) state.oneSided = 0;
  else if (deviation > 0) state.oneSided = Math.max(0, state.oneSided) + 1;
  else state.oneSided = Math.min(0, state.oneSided) - 1;
  if (Math.abs(state.oneSided) < settings.jumpLength) return;
  state.oneSided = 0;
  state.scale = FIRST_SCALE;
  for (let at = 0; at < 6; at++) state.normal[at] = (state.normal[at] as number) * settings.jumpKeeps;
  for (let at = 0; at < 3; at++) state.target[at] = (state.target[at] as number) * settings.jumpKeeps;
}

/** Coordinate descent from where it stands: three numbers that may not be negative. */
function solve(state: RateState, settings: LearnSettings): void {
  const { normal, target, prior, rates } = state;
  const at = (index: number): number => normal[index] as number;
  const [n00, n01, n02, n11, n12, n22] = [at(0), at(1), at(2), at(3), at(4), at(5)];
  const least = settings.leastOfPrior;
  const k = settings.priorWeight;
  const pa = prior.iterationSeconds;
  const pc = prior.perDecodingSeconds;
  const pp = prior.perPromptTokenSeconds;
  const [t0, t1, t2] = [target[0] as number, target[1] as number, target[2] as number];
  let a = rates.iterationSeconds;
  let c = rates.perDecodingSeconds;
  let p = rates.perPromptTokenSeconds;
  for (let round = 0; round < ROUNDS; round++) {
    a = Math.max(least * pa, (t0 + k / pa - n01 * c - n02 * p) / (n00 + k / (pa * pa)));
    c = Math.max(least * pc, (t1 + k / pc - n01 * a - n12 * p) / (n11 + k / (pc * pc)));
    p = Math.max(least * pp, (t2 + k / pp - n02 * a - n12 * c) / (n22 + k / (pp * pp)));
  }
  rates.iterationSeconds = a;
  rates.perDecodingSeconds = c;
  rates.perPromptTokenSeconds = p;
}

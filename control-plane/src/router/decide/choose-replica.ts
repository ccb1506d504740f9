import type { Random } from '@ai-fabric/shared';
import type { ReplicaCandidate } from '../candidate.js';
import { isPaced } from '../predict/decide/judge-pace.js';
import { pickCheapest } from '../predict/decide/pick-cheapest.js';
import { predictCost } from '../predict/decide/predict-cost.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import { emptyPrediction, type Prediction, type Weights } from '../predict/predict-types.js';
import type { RouteRequest } from '../route-types.js';

/** What the router adds to a request before its targets are compared. */
export interface CostTerms {
  /** Expected of all answers together; 0 where none is written. */
  readonly answerTokens: number;
  readonly weights: Weights;
  /** Whether it may wait in the router for a replica that has enough to read for now. */
  readonly mayPace: boolean;
  /** Others that came before it wait for just that: it may not overtake them. */
  readonly isBehind: boolean;
  /** How many are held for it already; left out: nobody. */
  readonly ahead?: number;
}

export interface ReplicaChoice {
  /** Into the candidates; -1: to be held, all that are worth having read other prompts first. */
  readonly index: number;
  /** How many were as good as the best. */
  readonly tied: number;
  /** Seconds, one for each candidate. */
  readonly costs: Float64Array;
  /** Until the first of them is expected to be free; `null` where it is not to be held. */
  readonly lookAgainInMs: number | null;
}

/** Until the next look where nothing better is known. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Compares replicas that could all serve by predicted seconds. One that has enough to read for now competes, and is
 * waited for where it is clearly the cheapest all the same; otherwise one of the others serves.
 *
 * @param candidates at least one
 */
export function chooseReplica(
  request: RouteRequest,
  candidates: readonly ReplicaCandidate[],
  terms: CostTerms,
  random: Random,
  settings: PredictSettings,
): ReplicaChoice {
  const count = candidates.length;
  const costs = new Float64Array(count);
  const prediction = emptyPrediction();
  let paced: Uint8Array | null = null;
  let [leastFree, leastPaced, soonest] = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
  for (let index = 0; index < count; index++) {
    const candidate = candidates[index] as ReplicaCandidate;
    predictFor(candidate, request, terms, settings, prediction);
    const { costSeconds, startSeconds } = prediction;
    costs[index] = costSeconds;
    soonest = Math.min(soonest, startSeconds);
    if (terms.mayPace && isPaced(candidate.load, prediction, settings.pace)) {
      paced ??= new Uint8Array(count);
      paced[index] = 1;
      leastPaced = Math.min(leastPaced, costSeconds);
    } else leastFree = Math.min(leastFree, costSeconds);
  }
  const isWorthIt = leastPaced < settings.pace.worthRatio * leastFree;
  if (terms.mayPace && (terms.isBehind || (paced !== null && isWorthIt))) {
    const lookAgainInMs = Number.isFinite(soonest) ? soonest * 1000 : LOOK_AGAIN_MS;
    return { index: -1, tied: 0, costs, lookAgainInMs };
  }
  const { index, tied } = pickCheapest(
    paced === null ? costs : withoutPaced(costs, paced),
    count,
    random,
    settings.pick,
  );
  return { index, tied, costs, lookAgainInMs: null };
}

/** @param out filled in with what the request would take there now */
function predictFor(
  candidate: ReplicaCandidate,
  request: RouteRequest,
  terms: Pick<CostTerms, 'answerTokens' | 'weights'>,
  settings: PredictSettings,
  out: Prediction,
): void {
  const promptTokens = promptTokensOf(request, candidate.bytesPerToken, settings);
  const size = { promptTokens, cachedTokens: 0, answerTokens: terms.answerTokens };
  predictCost(candidate.load, candidate.rates, size, terms.weights, settings.cost, out);
}

/** By the density that this engine's prompts turned out to have, else by the gateway's rough count. */
export function promptTokensOf(
  { hints, estimatedPromptTokens }: RouteRequest,
  bytesPerToken: number,
  settings: PredictSettings,
): number {
  const promptBytes = hints?.promptBytes ?? null;
  if (promptBytes !== null) return Math.max(1, promptBytes / bytesPerToken);
  return estimatedPromptTokens ?? settings.tokens.unknownPrompt;
}

function withoutPaced(costs: Float64Array, paced: Uint8Array): Float64Array {
  return costs.map((cost, index) => (paced[index] === 1 ? Number.POSITIVE_INFINITY : cost));
}

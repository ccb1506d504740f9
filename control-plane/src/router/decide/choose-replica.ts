import type { Random } from '@ai-fabric/shared';
import type { ReplicaCandidate } from '../candidate.js';
import type { KnownPast } from '../predict/affinity.js';
import { isPaced } from '../predict/decide/judge-pace.js';
import { pickCheapest } from '../predict/decide/pick-cheapest.js';
import { predictCost } from '../predict/decide/predict-cost.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import { emptyPrediction, type Weights } from '../predict/predict-types.js';
import type { RouteRequest } from '../route-types.js';

/** What the router adds to a request before its targets are compared. */
export interface CostTerms {
  /** Expected of all answers together; 0 where none is written. */
  readonly answerTokens: number;
  readonly weights: Weights;
  /** Whether it may wait in the router for a replica that has enough to read for now. */
  readonly mayPace: boolean;
  /** What is known of where what came before it went; `null`: nothing. */
  readonly past: KnownPast | null;
  /** Others that came before it wait for just that: it may not overtake them. */
  readonly isBehind: boolean;
  /** How many wait for the same role and are no less urgent, itself among them once it does; left out: nobody. */
  readonly waiting?: number;
  /** It alone has a slot left, and enough wait for all: it is given the next prompt whatever it still reads. */
  readonly fillsLastSlots?: boolean;
  /** Seconds until it has its turn at these targets, all full, as one that waits is told; `null`: not known. Left out: never known. */
  readonly turnSeconds?: (targets: readonly string[]) => number | null;
}

export interface ReplicaChoice {
  /** Into the candidates; -1: to be held, all that are worth having read other prompts first. */
  readonly index: number;
  /** How many were as good as the best. */
  readonly tied: number;
  /** It is the one that served what came before. */
  readonly isFavoured: boolean;
  /** Seconds, one for each candidate; the next choice writes over them. */
  readonly costs: Float64Array;
  /** Until the first of them is expected to be free; `null` where it is not to be held. */
  readonly lookAgainInMs: number | null;
}

/** Until the next look where nothing better is known. */
const LOOK_AGAIN_MS = 1_000;

/** Room for one comparison, used again by the next: a thousand candidates are asked for each request. */
const scratch = {
  costs: new Float64Array(64),
  /** What may be chosen now: costs, with those that are paced left out. */
  offers: new Float64Array(64),
  prediction: emptyPrediction(),
  size: { promptTokens: 0, cachedTokens: 0, answerTokens: 0 },
};

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
  makeRoom(count);
  const { costs, offers, prediction, size } = scratch;
  const { mayPace, fillsLastSlots = false, weights, past } = terms;
  let favoured = -1;
  size.cachedTokens = 0;
  size.answerTokens = terms.answerTokens;
  let leastFree = Number.POSITIVE_INFINITY;
  let leastPaced = Number.POSITIVE_INFINITY;
  let soonest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const candidate = candidates[index] as ReplicaCandidate;
    const { load, rates, bytesPerToken } = candidate;
    size.promptTokens = promptTokensOf(request, bytesPerToken, settings);
    if (past !== null) {
      size.cachedTokens = cachedTokensOf(candidate, past, size.promptTokens);
      if (candidate.number === past.favoured) favoured = index;
    }
    predictCost(load, rates, size, weights, settings.cost, prediction);
    const { costSeconds, startSeconds } = prediction;
    costs[index] = costSeconds;
    offers[index] = costSeconds;
    if (startSeconds < soonest) soonest = startSeconds;
    if (mayPace && !fillsLastSlots && isPaced(load, prediction, settings.pace)) {
      offers[index] = Number.POSITIVE_INFINITY;
      if (costSeconds < leastPaced) leastPaced = costSeconds;
    } else if (costSeconds < leastFree) leastFree = costSeconds;
  }
  const isWorthIt = leastPaced < settings.pace.worthRatio * leastFree;
  if (mayPace && (terms.isBehind || isWorthIt)) {
    const lookAgainInMs = Number.isFinite(soonest) ? soonest * 1000 : LOOK_AGAIN_MS;
    return { index: -1, tied: 0, isFavoured: false, costs, lookAgainInMs };
  }
  const { index, tied, isFavoured } = pickCheapest(offers, count, favoured, random, settings.pick);
  return { index, tied, isFavoured, costs, lookAgainInMs: null };
}

function makeRoom(count: number): void {
  if (count <= scratch.costs.length) return;
  scratch.costs = new Float64Array(2 * count);
  scratch.offers = new Float64Array(2 * count);
}

/** Of a prompt, what an engine is expected to have in its prefix cache, at the doubt that it has earned. */
export function cachedTokensOf(
  { number, bytesPerToken, hitTrust }: Pick<ReplicaCandidate, 'number' | 'bytesPerToken' | 'hitTrust'>,
  { credits }: KnownPast,
  promptTokens: number,
): number {
  const bytes = credits[number] as number;
  return bytes === 0 ? 0 : hitTrust * Math.min(promptTokens, bytes / bytesPerToken);
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

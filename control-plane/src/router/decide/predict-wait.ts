import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import { predictCost } from '../predict/decide/predict-cost.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import { emptyPrediction } from '../predict/predict-types.js';
import type { Considered, RouteRequest } from '../route-types.js';
import { type CostTerms, promptTokensOf } from './choose-replica.js';
import { type ExpectationSettings, expectSoon } from './expect-soon.js';
import { replicasOf } from './plan-wait.js';

/** Where no answer has told yet how long a slot is held. */
const UNKNOWN_TURN_SECONDS = 2;

/**
 * Seconds until the soonest of these replicas would begin to answer, its queue and what it reads first included.
 *
 * @param passed all of them could take it now; `Infinity` where there are none
 */
export function predictStart(
  request: RouteRequest,
  passed: readonly ReplicaCandidate[],
  terms: CostTerms,
  settings: PredictSettings,
): number {
  const prediction = emptyPrediction();
  let soonest = Number.POSITIVE_INFINITY;
  for (const { load, rates, bytesPerToken } of passed) {
    const promptTokens = promptTokensOf(request, bytesPerToken, settings);
    const size = { promptTokens, cachedTokens: 0, answerTokens: terms.answerTokens };
    predictCost(load, rates, size, terms.weights, settings.cost, prediction);
    const { queueSeconds, startSeconds } = prediction;
    soonest = Math.min(soonest, load.drift * (queueSeconds + startSeconds) + load.coldSeconds);
  }
  return soonest;
}

/**
 * Seconds that a request will have waited when the soonest of the replicas that were ruled out can take it: what it has waited
 * already, and what is left until its turn, which is what one that waits is told. What has only fallen silent adds nothing, so
 * that it is waited for until the time itself is over; what is being loaded takes longer than anybody waits, and `Infinity` is
 * the answer where nothing is expected.
 *
 * @param considered a line for each candidate that was looked at, in the order of `groups`
 */
export function predictTurn(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  turnSeconds: CostTerms['turnSeconds'],
  settings: ExpectationSettings,
): number {
  const full: string[] = [];
  let soonest = Number.POSITIVE_INFINITY;
  for (const { replica, verdict } of replicasOf(groups, considered)) {
    if (verdict === 'chosen' || verdict === 'passed_over') continue;
    const expected = expectSoon(replica, verdict, settings);
    if (expected === null || expected.reason === 'loading') continue;
    if (expected.reason === 'full' && replica.inflight >= replica.slots) full.push(replica.target);
    else soonest = Math.min(soonest, expected.reason === 'full' ? (expected.lookAgainInMs ?? 0) / 1000 : 0);
  }
  if (full.length > 0) soonest = Math.min(soonest, turnSeconds?.(full) ?? UNKNOWN_TURN_SECONDS);
  return soonest + (request.waitedMs ?? 0) / 1000;
}

import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import { predictCost } from '../predict/decide/predict-cost.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import { emptyPrediction } from '../predict/predict-types.js';
import type { Considered, RouteRequest } from '../route-types.js';
import { type CostTerms, promptTokensOf } from './choose-replica.js';
import { type ExpectationSettings, expectSoon } from './expect-soon.js';

/** Of a slot where no answer has told yet how long one is held. */
const USUAL_HOLD_SECONDS = 2;

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
 * already, and the turns of those that wait before it. What has only fallen silent adds nothing, so that it is waited for
 * until the time itself is over; what is being loaded takes longer than anybody waits, and `Infinity` is the answer
 * where nothing is expected.
 *
 * @param considered a line for each candidate that was looked at, in the order of `groups`
 */
export function predictTurn(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  ahead: number,
  settings: ExpectationSettings,
): number {
  let soonest = Number.POSITIVE_INFINITY;
  let line = 0;
  for (const group of groups) {
    for (const candidate of group.kind === 'replicas' ? group.candidates : [group.candidate]) {
      const verdict = considered[line]?.verdict;
      if (verdict === undefined) return soonest;
      line += 1;
      if (candidate.kind === 'provider' || verdict === 'chosen' || verdict === 'passed_over') continue;
      const expected = expectSoon(candidate, verdict, settings);
      if (expected === null || expected.reason === 'loading') continue;
      const seconds = expected.reason === 'full' ? untilSlot(candidate, ahead) : 0;
      soonest = Math.min(soonest, seconds + (request.waitedMs ?? 0) / 1000);
    }
  }
  return soonest;
}

/** Slots that are held equally long and were taken at different times fall free one after the other. */
function untilSlot({ inflight, slots, busyForMs, meanHoldMs }: ReplicaCandidate, ahead: number): number {
  if (inflight < slots) return busyForMs / 1000;
  const holdSeconds = meanHoldMs === null ? USUAL_HOLD_SECONDS : meanHoldMs / 1000;
  return Math.max(busyForMs / 1000, (holdSeconds / Math.max(1, slots)) * (ahead + 1));
}

import type { Random } from '@ai-fabric/shared';
import type { CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import type { ChoiceReason, Considered, RouteDecision, RouteRequest } from '../route-types.js';
import { type CostTerms, chooseReplica } from './choose-replica.js';
import { explainRefusal, type RefusalSettings } from './explain-refusal.js';
import { type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';
import { pinnedModel } from './pinned-model.js';
import { largestContext, planRoom, type RoomSettings } from './plan-room.js';
import { patienceOf, planWait, type WaitSettings } from './plan-wait.js';

export interface RouteSettings {
  readonly filter: FilterSettings;
  readonly room: RoomSettings;
  readonly predict: PredictSettings;
  readonly refusal: RefusalSettings;
  readonly wait: WaitSettings;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Where a request goes: filter, predict, pick, group by group. Pure, and silent when asked "what if": it takes
 * nothing, counts nothing and logs nothing, so that listings may ask it too.
 *
 * @param groups every target of what was asked for, in the order of declaration
 * @returns `considered` holds a line for each target that was looked at, in order; groups behind the one that
 * serves are not looked at
 */
export function route(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  terms: CostTerms,
  random: Random,
  settings: RouteSettings,
): RouteDecision {
  const context = filterContext(request, groups, settings);
  const considered: Considered[] = [];
  for (const group of groups) {
    const decision =
      group.kind === 'replicas'
        ? askReplicas(request, context, group.candidates, considered, terms, random, settings)
        : askProvider(request, context, group.candidate, considered, settings);
    if (decision === null) continue;
    return (isFallback(decision) && planWait(request, groups, considered, settings.wait)) || decision;
  }
  return (
    planWait(request, groups, considered, settings.wait) ??
    explainRefusal(request, groups, considered, settings.refusal)
  );
}

/** Before the cloud serves what a replica is about to serve, the role's patience is asked. */
function isFallback(decision: RouteDecision): boolean {
  return decision.kind === 'cloud' && decision.reason === 'cloud_fallback';
}

function filterContext(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  settings: RouteSettings,
): FilterContext {
  const foundTooLongBy = request.foundTooLongBy ?? NONE;
  const context = {
    task: request.task,
    endpoint: request.endpoint ?? null,
    estimatedPromptTokens: request.estimatedPromptTokens,
    excluded: request.excluded,
    mayCloud: request.mayCloud,
    localOnly: request.localOnly === true,
    pinnedModel: request.task === 'embeddings' ? pinnedModel(groups) : null,
    roomTokens: 0,
    foundTooLongBy,
    tooSmallTokens: foundTooLongBy.size === 0 ? 0 : largestContext(groups, foundTooLongBy),
  };
  return { ...context, roomTokens: planRoom(request, groups, context, settings) };
}

function askReplicas(
  request: RouteRequest,
  context: FilterContext,
  candidates: readonly ReplicaCandidate[],
  considered: Considered[],
  terms: CostTerms,
  random: Random,
  settings: RouteSettings,
): RouteDecision | null {
  const passed: ReplicaCandidate[] = [];
  const lines: number[] = [];
  const waitsFor: string[] = [];
  for (const candidate of candidates) {
    const reason = filterCandidate(candidate, context, settings.filter);
    const { target } = candidate;
    if (reason === null) {
      passed.push(candidate);
      lines.push(considered.length);
    }
    if (reason === null || reason === 'full') waitsFor.push(target);
    considered.push({ target, verdict: reason ?? 'passed_over', costSeconds: null });
  }
  if (passed.length === 0) return null;
  const patienceMs = patienceOf(request, settings.wait);
  const mayPace = terms.mayPace && request.mayWait === true && patienceMs > 0;
  const choice = chooseReplica(
    request,
    passed,
    mayPace ? terms : { ...terms, mayPace },
    random,
    settings.predict,
  );
  for (let index = 0; index < passed.length; index++) {
    const { target } = passed[index] as ReplicaCandidate;
    const verdict = index === choice.index ? 'chosen' : 'passed_over';
    considered[lines[index] as number] = { target, verdict, costSeconds: finite(choice.costs[index]) };
  }
  const { lookAgainInMs } = choice;
  if (choice.index < 0) {
    return { kind: 'wait', reason: 'paced', detail: PACED, waitsFor, lookAgainInMs, patienceMs, considered };
  }
  const chosen = passed[choice.index] as ReplicaCandidate;
  const reason = choiceReason(request, passed.length, choice.tied);
  return { kind: 'send', deployment: chosen.deployment, reason, considered };
}

const PACED = 'all that could serve it read other prompts first';

function finite(cost: number | undefined): number | null {
  return cost !== undefined && Number.isFinite(cost) ? cost : null;
}

function choiceReason(request: RouteRequest, passed: number, tied: number): ChoiceReason {
  if (request.resolved.kind !== 'role') return 'asked_by_name';
  if (passed === 1) return 'only_candidate';
  return tied > 1 ? 'tie_broken' : 'least_cost';
}

function askProvider(
  request: RouteRequest,
  context: FilterContext,
  candidate: CloudCandidate,
  considered: Considered[],
  settings: RouteSettings,
): RouteDecision | null {
  const isFallback = considered.length > 0;
  const verdict = filterCandidate(candidate, context, settings.filter);
  considered.push({ target: candidate.target, verdict: verdict ?? 'chosen', costSeconds: null });
  if (verdict !== null) return null;
  const asked = request.resolved.kind !== 'role';
  const reason: ChoiceReason = asked ? 'asked_by_name' : isFallback ? 'cloud_fallback' : 'only_candidate';
  return { kind: 'cloud', provider: candidate.provider, model: candidate.model, reason, considered };
}

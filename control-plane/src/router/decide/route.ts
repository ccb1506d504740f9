import type { Random } from '@ai-fabric/shared';
import type { CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import type {
  ChoiceReason,
  Considered,
  FilterReason,
  OtherTargets,
  RouteDecision,
  RouteRequest,
} from '../route-types.js';
import { type CostTerms, chooseReplica } from './choose-replica.js';
import { explainRefusal, type RefusalSettings } from './explain-refusal.js';
import { type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';
import { pinnedModel } from './pinned-model.js';
import { largestContext, planRoom, type RoomSettings } from './plan-room.js';
import { patienceOf, planWait, type WaitSettings } from './plan-wait.js';
import { type Compared, MOST_TOLD, type Told, tellCheapest, tellEach, tellMost } from './tell-considered.js';

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
    return toldBriefly(
      (isFallback(decision) && planWait(request, groups, considered, settings.wait)) || decision,
    );
  }
  return toldBriefly(
    planWait(request, groups, considered, settings.wait) ??
      explainRefusal(request, groups, considered, settings.refusal),
  );
}

/** Of hundreds of targets the first few tell what there is to tell. */
function toldBriefly(decision: RouteDecision): RouteDecision {
  if (decision.considered.length <= MOST_TOLD) return decision;
  const { considered, others = [] } = tellMost(decision.considered);
  return { ...decision, considered, others: addUp([...others, ...(decision.others ?? [])]) };
}

function addUp(others: readonly OtherTargets[]): OtherTargets[] {
  const counts = new Map<OtherTargets['verdict'], number>();
  for (const { verdict, count } of others) counts.set(verdict, (counts.get(verdict) ?? 0) + count);
  return Array.from(counts, ([verdict, count]) => ({ verdict, count }));
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
  // Where all pass, which is the rule, nothing is allocated for each.
  let passed: readonly ReplicaCandidate[] | ReplicaCandidate[] = candidates;
  let reasons: (FilterReason | null)[] | null = null;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as ReplicaCandidate;
    const reason = filterCandidate(candidate, context, settings.filter);
    if (reasons === null) {
      if (reason === null) continue;
      reasons = new Array<FilterReason | null>(index).fill(null);
      passed = candidates.slice(0, index);
    }
    reasons.push(reason);
    if (reason === null) (passed as ReplicaCandidate[]).push(candidate);
  }
  if (passed.length === 0) {
    const none = { candidates, reasons, costs: NO_COSTS, passed: 0, chosen: -1 };
    considered.push(...tellEach(none));
    return null;
  }
  const patienceMs = patienceOf(request, settings.wait);
  const mayPace = terms.mayPace && request.mayWait === true && patienceMs > 0;
  const asked = mayPace === terms.mayPace ? terms : { ...terms, mayPace };
  const { index, tied, isFavoured, costs, lookAgainInMs } = chooseReplica(
    request,
    passed,
    asked,
    random,
    settings.predict,
  );
  const told = tell({ candidates, reasons, costs, passed: passed.length, chosen: index }, considered);
  if (index < 0) {
    const waitsFor = candidates
      .filter((_, place) => isWaitedFor(reasons?.[place] ?? null))
      .map(({ target }) => target);
    return { kind: 'wait', reason: 'paced', detail: PACED, waitsFor, lookAgainInMs, patienceMs, ...told };
  }
  const { deployment } = passed[index] as ReplicaCandidate;
  return {
    kind: 'send',
    deployment,
    reason: choiceReason(request, passed.length, tied, isFavoured),
    ...told,
  };
}

const NO_COSTS = new Float64Array(0);
const PACED = 'all that could serve it read other prompts first';

/** @param before lines of groups in front of it */
function tell(compared: Compared, before: Considered[]): Told {
  if (before.length + compared.candidates.length <= MOST_TOLD) {
    const lines = tellEach(compared);
    return { considered: before.length === 0 ? lines : [...before, ...lines] };
  }
  const { considered, others } = tellCheapest(compared);
  return { considered: [...before, ...considered], others };
}

function isWaitedFor(reason: FilterReason | null): boolean {
  return reason === null || reason === 'full';
}

function choiceReason(
  request: RouteRequest,
  passed: number,
  tied: number,
  isFavoured: boolean,
): ChoiceReason {
  if (request.resolved.kind !== 'role') return 'asked_by_name';
  if (passed === 1) return 'only_candidate';
  if (isFavoured) return 'affinity';
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

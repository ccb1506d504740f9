import type { Random } from '@ai-fabric/shared';
import type { CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import type { ChoiceReason, Considered, RouteDecision, RouteRequest } from '../route-types.js';
import { explainRefusal, type RefusalSettings } from './explain-refusal.js';
import { type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';
import { type Pick, pickLeastLoaded, type TieSettings } from './pick-least-loaded.js';
import { pinnedModel } from './pinned-model.js';
import { largestContext, planRoom, type RoomSettings } from './plan-room.js';
import { planWait, type WaitSettings } from './plan-wait.js';
import { type LoadSettings, predictLoad } from './predict-load.js';

export interface RouteSettings {
  readonly filter: FilterSettings;
  readonly room: RoomSettings;
  readonly load: LoadSettings;
  readonly tie: TieSettings;
  readonly refusal: RefusalSettings;
  readonly wait: WaitSettings;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Where a request goes: filter, score, pick, group by group. Pure, and silent when asked "what if": it takes
 * nothing, counts nothing and logs nothing, so that listings may ask it too.
 *
 * @param groups every target of what was asked for, in the order of declaration
 * @returns `considered` holds a line for each target that was looked at, in order; groups behind the one that
 * serves are not looked at
 */
export function route(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  random: Random,
  settings: RouteSettings,
): RouteDecision {
  const context = filterContext(request, groups, settings);
  const considered: Considered[] = [];
  for (const group of groups) {
    const decision =
      group.kind === 'replicas'
        ? chooseReplica(request, context, group.candidates, considered, random, settings)
        : chooseProvider(request, context, group.candidate, considered, settings);
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

function chooseReplica(
  request: RouteRequest,
  context: FilterContext,
  candidates: readonly ReplicaCandidate[],
  considered: Considered[],
  random: Random,
  settings: RouteSettings,
): RouteDecision | null {
  const passed: ReplicaCandidate[] = [];
  const loads: number[] = [];
  const lines: number[] = [];
  for (const candidate of candidates) {
    const reason = filterCandidate(candidate, context, settings.filter);
    const load = reason === null ? predictLoad(candidate, settings.load) : null;
    considered.push({ target: candidate.target, verdict: reason ?? 'passed_over', load });
    if (load === null) continue;
    passed.push(candidate);
    loads.push(load);
    lines.push(considered.length - 1);
  }
  if (passed.length === 0) return null;
  const pick = pickLeastLoaded(loads, random, settings.tie);
  const chosen = passed[pick.index] as ReplicaCandidate;
  considered[lines[pick.index] as number] = {
    target: chosen.target,
    verdict: 'chosen',
    load: loads[pick.index] as number,
  };
  const reason = choiceReason(request, passed.length, pick);
  return { kind: 'send', deployment: chosen.deployment, reason, considered };
}

function choiceReason(request: RouteRequest, passed: number, pick: Pick): ChoiceReason {
  if (request.resolved.kind !== 'role') return 'asked_by_name';
  if (passed === 1) return 'only_candidate';
  return pick.tied > 1 ? 'tie_broken' : 'least_load';
}

function chooseProvider(
  request: RouteRequest,
  context: FilterContext,
  candidate: CloudCandidate,
  considered: Considered[],
  settings: RouteSettings,
): RouteDecision | null {
  const isFallback = considered.length > 0;
  const verdict = filterCandidate(candidate, context, settings.filter);
  considered.push({ target: candidate.target, verdict: verdict ?? 'chosen', load: null });
  if (verdict !== null) return null;
  const asked = request.resolved.kind !== 'role';
  const reason: ChoiceReason = asked ? 'asked_by_name' : isFallback ? 'cloud_fallback' : 'only_candidate';
  return { kind: 'cloud', provider: candidate.provider, model: candidate.model, reason, considered };
}

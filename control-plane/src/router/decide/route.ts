import type { Random } from '@ai-fabric/shared';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { PredictSettings } from '../predict/predict-settings.js';
import type { ChoiceReason, Considered, RouteDecision, RouteRequest } from '../route-types.js';
import { type CostTerms, chooseReplica } from './choose-replica.js';
import { explainRefusal, type RefusalSettings } from './explain-refusal.js';
import { conditionOf, type FilterContext, type FilterSettings, filterCandidate } from './filter-candidate.js';
import { pinnedModel } from './pinned-model.js';
import { ANY_ROOM, largestContext, planRoom } from './plan-room.js';
import { patienceOf, planWait, type WaitSettings } from './plan-wait.js';
import { predictStart, predictTurn } from './predict-wait.js';

export interface RouteSettings {
  readonly filter: FilterSettings;
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
  const looker = { request, groups, context, terms, random, settings };
  const mayWait = request.mayWait === true && patienceOf(request, settings.wait) > 0;
  // Who may not wait, or wants that target alone, has nobody to compare it with.
  const isOpen = request.onlyTarget != null;
  const look = lookAt(looker, isOpen, mayWait);
  if (look.decision !== null) {
    const { decision } = look;
    return (isFallback(decision) && planWait(request, groups, look.considered, settings.wait)) || decision;
  }
  const wait = planWait(request, groups, look.considered, settings.wait);
  if (wait !== null) {
    const changesInMs = sooner(look.opensInMs, restEndsInMs(groups));
    return { ...wait, lookAgainInMs: sooner(wait.lookAgainInMs, changesInMs) };
  }
  // What was kept closed for others' sake is all that is left.
  const last = look.opensInMs === null ? look : lookAt(looker, true, mayWait);
  return last.decision ?? explainRefusal(request, groups, last.considered, settings.refusal);
}

interface Looker {
  readonly request: RouteRequest;
  readonly groups: readonly CandidateGroup[];
  readonly context: FilterContext;
  readonly terms: CostTerms;
  readonly random: Random;
  readonly settings: RouteSettings;
}

interface Look {
  /** `null`: nobody can take it now. */
  readonly decision: RouteDecision | null;
  readonly considered: readonly Considered[];
  /** Until the first group that was kept closed is asked all the same; `null`: none was. */
  readonly opensInMs: number | null;
}

/** Replicas that compete, all groups together. */
interface Pool {
  readonly passed: ReplicaCandidate[];
  /** Of each, its line. */
  readonly lines: number[];
  /** Those that are full as well. */
  readonly waitsFor: string[];
}

/**
 * Looks at one group after the other until one serves. One that is asked after a wait joins those before it where they take
 * longer than that.
 *
 * @param isOpen groups are asked whatever those before them take
 */
function lookAt(looker: Looker, isOpen: boolean, mayWait: boolean): Look {
  const { groups } = looker;
  const considered: Considered[] = [];
  const pool: Pool = { passed: [], lines: [], waitsFor: [] };
  let opensInMs: number | null = null;
  for (const group of groups) {
    const { opensAfterSeconds } = group;
    if (opensAfterSeconds === undefined) {
      if (pool.passed.length > 0) break;
    } else if (!isOpen) {
      const waitSeconds = waitBefore(looker, pool, considered, mayWait);
      if (waitSeconds <= opensAfterSeconds) {
        keepClosed(looker, group, considered);
        opensInMs = sooner(opensInMs, (opensAfterSeconds - waitSeconds) * 1000);
        continue;
      }
    }
    if (group.kind === 'provider') {
      const decision = askProvider(looker, group, considered);
      if (decision === null) continue;
      noteCosts(looker, pool, considered);
      return { decision, considered, opensInMs };
    }
    gather(looker, group, pool, considered);
  }
  const decision = pool.passed.length === 0 ? null : askReplicas(looker, pool, considered);
  return { decision, considered, opensInMs };
}

/** Seconds until those that were looked at can begin with it; `Infinity`: nothing is expected of them, or it may not wait. */
function waitBefore(
  { request, groups, terms, settings }: Looker,
  { passed }: Pool,
  considered: readonly Considered[],
  mayWait: boolean,
): number {
  if (passed.length > 0) return predictStart(request, passed, terms, settings.predict);
  if (!mayWait) return Number.POSITIVE_INFINITY;
  return predictTurn(request, groups, considered, terms.ahead ?? 0, settings.wait);
}

/** Until a provider that would have been asked after a wait may be asked again: no event tells of that. */
function restEndsInMs(groups: readonly CandidateGroup[]): number | null {
  let leastMs: number | null = null;
  for (const group of groups) {
    if (group.kind === 'replicas' || group.opensAfterSeconds === undefined) continue;
    const { restForMs } = group.candidate;
    if (restForMs > 0) leastMs = sooner(leastMs, restForMs);
  }
  return leastMs;
}

function keepClosed({ context, settings }: Looker, group: CandidateGroup, considered: Considered[]): void {
  const candidates = group.kind === 'replicas' ? group.candidates : [group.candidate];
  candidates.forEach((candidate, index) => {
    const reason = filterCandidate(candidate, context, settings.filter, conditionOf(group, index));
    considered.push({ target: candidate.target, verdict: reason ?? 'not_yet', costSeconds: null });
  });
}

function gather(
  { context, settings }: Looker,
  group: Extract<CandidateGroup, { kind: 'replicas' }>,
  pool: Pool,
  considered: Considered[],
): void {
  const { candidates } = group;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as ReplicaCandidate;
    const reason = filterCandidate(candidate, context, settings.filter, conditionOf(group, index));
    const { target } = candidate;
    if (reason === null) {
      pool.passed.push(candidate);
      pool.lines.push(considered.length);
    }
    if (reason === null || reason === 'full') pool.waitsFor.push(target);
    considered.push({ target, verdict: reason ?? 'passed_over', costSeconds: null });
  }
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
    request,
    pinnedModel: request.task === 'embeddings' ? pinnedModel(groups) : null,
    room: ANY_ROOM,
    foundTooLongBy,
    tooSmallTokens: foundTooLongBy.size === 0 ? 0 : largestContext(groups, foundTooLongBy),
  };
  const room = planRoom(request, groups, context, settings.filter);
  return room === ANY_ROOM ? context : { ...context, room };
}

function askReplicas(
  { request, terms, random, settings }: Looker,
  { passed, lines, waitsFor }: Pool,
  considered: Considered[],
): RouteDecision {
  const patienceMs = patienceOf(request, settings.wait);
  const mayPace = terms.mayPace && request.mayWait === true && patienceMs > 0;
  const choice = chooseReplica(
    request,
    passed,
    mayPace ? terms : { ...terms, mayPace },
    random,
    settings.predict,
  );
  writeCosts(passed, lines, considered, choice.costs, choice.index);
  const { lookAgainInMs } = choice;
  if (choice.index < 0) {
    return { kind: 'wait', reason: 'paced', detail: PACED, waitsFor, lookAgainInMs, patienceMs, considered };
  }
  const chosen = passed[choice.index] as ReplicaCandidate;
  const reason = choiceReason(request, passed.length, choice.tied);
  return { kind: 'send', deployment: chosen.deployment, reason, considered };
}

const PACED = 'all that could serve it read other prompts first';

/** Of replicas that a provider was preferred to: for who asks why. */
function noteCosts(
  { request, terms, random, settings }: Looker,
  { passed, lines }: Pool,
  considered: Considered[],
): void {
  if (passed.length === 0) return;
  const { costs } = chooseReplica(request, passed, { ...terms, mayPace: false }, random, settings.predict);
  writeCosts(passed, lines, considered, costs, -1);
}

function writeCosts(
  passed: readonly ReplicaCandidate[],
  lines: readonly number[],
  considered: Considered[],
  costs: Float64Array,
  chosen: number,
): void {
  for (let index = 0; index < passed.length; index++) {
    const { target } = passed[index] as ReplicaCandidate;
    const verdict = index === chosen ? 'chosen' : 'passed_over';
    considered[lines[index] as number] = { target, verdict, costSeconds: finite(costs[index]) };
  }
}

function finite(cost: number | undefined): number | null {
  return cost !== undefined && Number.isFinite(cost) ? cost : null;
}

function choiceReason(request: RouteRequest, passed: number, tied: number): ChoiceReason {
  if (isAskedByName(request)) return 'asked_by_name';
  if (passed === 1) return 'only_candidate';
  return tied > 1 ? 'tie_broken' : 'least_cost';
}

function askProvider(
  { request, context, settings }: Looker,
  group: Extract<CandidateGroup, { kind: 'provider' }>,
  considered: Considered[],
): RouteDecision | null {
  const { candidate } = group;
  const isFirst = considered.length === 0;
  const verdict = filterCandidate(candidate, context, settings.filter, conditionOf(group, 0));
  considered.push({ target: candidate.target, verdict: verdict ?? 'chosen', costSeconds: null });
  if (verdict !== null) return null;
  const reason = cloudReason(request, group, isFirst);
  return { kind: 'cloud', provider: candidate.provider, model: candidate.model, reason, considered };
}

function cloudReason(request: RouteRequest, group: CandidateGroup, isFirst: boolean): ChoiceReason {
  if (isAskedByName(request)) return 'asked_by_name';
  if (group.opensAfterSeconds !== undefined) return 'wait_exceeded';
  return isFirst ? 'only_candidate' : 'cloud_fallback';
}

function isAskedByName({ resolved, onlyTarget = null }: RouteRequest): boolean {
  return resolved.kind !== 'role' || onlyTarget !== null;
}

function sooner(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

import type { Random } from '@ai-fabric/shared';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
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
import {
  conditionOf,
  type FilterContext,
  type FilterSettings,
  filterCandidate,
  isLastSlotKept,
} from './filter-candidate.js';
import { pinnedModel } from './pinned-model.js';
import { ANY_ROOM, largestContext, planRoom } from './plan-room.js';
import { isOnlyKeptOut, patienceOf, planWait, type WaitSettings } from './plan-wait.js';
import { planWaking } from './plan-waking.js';
import { predictStart, predictTurn } from './predict-wait.js';
import { MOST_TOLD, type Told, tellCheapest, tellEach, tellMost } from './tell-considered.js';

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
  const mayWait = request.mayWait === true && patienceOf(request, settings.wait) > 0;
  const context = filterContext(request, groups, mayWait, settings);
  let looker: Looker = { request, groups, context, terms, random, settings };
  // Who may not wait, or wants that target alone, has nobody to compare it with.
  const isOpen = request.onlyTarget != null;
  let look = lookAt(looker, isOpen, mayWait);
  if (context.leavesLastSlot && isToWait(look.decision) && isOnlyKeptOut(groups, look.considered)) {
    looker = { ...looker, context: { ...context, leavesLastSlot: false } };
    look = lookAt(looker, isOpen, mayWait);
  }
  if (look.decision !== null) {
    const { decision } = look;
    if (decision.kind !== 'cloud') return toldBriefly(decision);
    return toldBriefly(
      (isFallback(decision) && planWait(request, groups, look.considered, settings.wait)) ||
        planWaking(request, groups, decision.considered, decision, settings) ||
        decision,
    );
  }
  const wait = planWait(request, groups, look.considered, settings.wait);
  if (wait !== null) {
    const changesInMs = sooner(look.opensInMs, restEndsInMs(groups));
    return toldBriefly({ ...wait, lookAgainInMs: sooner(wait.lookAgainInMs, changesInMs) });
  }
  // What was kept closed for others' sake is all that is left.
  const last = look.opensInMs === null ? look : lookAt(looker, true, mayWait);
  return toldBriefly(last.decision ?? refuse(request, groups, last.considered, settings));
}

function refuse(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  settings: RouteSettings,
): RouteDecision {
  return (
    planWaking(request, groups, considered, null, settings) ??
    explainRefusal(request, groups, considered, settings.refusal)
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

/** Replicas that compete, all groups together, and those beside them that were ruled out. */
interface Pool {
  readonly candidates: readonly ReplicaCandidate[];
  /** What ruled each of them out; `null`: all passed. */
  readonly reasons: readonly (FilterReason | null)[] | null;
  /** At least one. */
  readonly passed: readonly ReplicaCandidate[];
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
  let pool: Pool | null = null;
  let opensInMs: number | null = null;
  for (const group of groups) {
    const { opensAfterSeconds } = group;
    if (opensAfterSeconds === undefined) {
      if (pool !== null) break;
    } else if (!isOpen) {
      const waitSeconds = waitBefore(looker, pool, considered, mayWait);
      if (waitSeconds <= opensAfterSeconds) {
        keepClosed(looker, group, considered);
        opensInMs = sooner(opensInMs, opensIn(opensAfterSeconds, waitSeconds, looker.request));
        continue;
      }
    }
    if (group.kind === 'provider') {
      const decision = askProvider(looker, group, considered);
      if (decision === null) continue;
      return {
        decision: pool === null ? decision : withCosts(looker, pool, decision),
        considered,
        opensInMs,
      };
    }
    pool = joined(pool, sift(looker, group, considered));
  }
  const decision = pool === null ? null : askReplicas(looker, pool, considered);
  return { decision, considered, opensInMs };
}

/** What is left until the turn falls as fast as time passes: short of the threshold it is not looked at each moment. */
const LEAST_LOOK_MS = 100;

/** Milliseconds until a group that is asked after a wait is looked at again; no later than when that has passed. */
function opensIn(opensAfterSeconds: number, waitSeconds: number, { waitedMs = 0 }: RouteRequest): number {
  const lastMs = Math.max(0, opensAfterSeconds * 1000 - waitedMs);
  return Math.min(lastMs, Math.max(LEAST_LOOK_MS, (opensAfterSeconds - waitSeconds) * 1000));
}

/** Seconds until those that were looked at can begin with it; `Infinity`: nothing is expected of them, or it may not wait. */
function waitBefore(
  { request, groups, terms, settings }: Looker,
  pool: Pool | null,
  considered: readonly Considered[],
  mayWait: boolean,
): number {
  if (pool !== null) return predictStart(request, pool.passed, terms, settings.predict);
  if (!mayWait) return Number.POSITIVE_INFINITY;
  return predictTurn(request, groups, considered, terms.turnSeconds, settings.wait);
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

/**
 * Where all pass, which is the rule, nothing is allocated for each.
 *
 * @returns `null` where none passed: `considered` has their lines then
 */
function sift(
  { context, settings }: Looker,
  group: Extract<CandidateGroup, { kind: 'replicas' }>,
  considered: Considered[],
): Pool | null {
  const { candidates } = group;
  let passed: readonly ReplicaCandidate[] | ReplicaCandidate[] = candidates;
  let reasons: (FilterReason | null)[] | null = null;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as ReplicaCandidate;
    const reason = filterCandidate(candidate, context, settings.filter, conditionOf(group, index));
    if (reasons === null) {
      if (reason === null) continue;
      reasons = new Array<FilterReason | null>(index).fill(null);
      passed = candidates.slice(0, index);
    }
    reasons.push(reason);
    if (reason === null) (passed as ReplicaCandidate[]).push(candidate);
  }
  if (passed.length > 0) return { candidates, reasons, passed };
  considered.push(...tellEach({ candidates, reasons, costs: NO_COSTS, passed: 0, chosen: -1 }));
  return null;
}

function joined(before: Pool | null, more: Pool | null): Pool | null {
  if (before === null || more === null) return before ?? more;
  const reasonsOf = ({ candidates, reasons }: Pool) => reasons ?? candidates.map(() => null);
  return {
    candidates: [...before.candidates, ...more.candidates],
    reasons: [...reasonsOf(before), ...reasonsOf(more)],
    passed: [...before.passed, ...more.passed],
  };
}

function isToWait(decision: RouteDecision | null): boolean {
  return decision === null || isFallback(decision);
}

/** Before the cloud serves what a replica is about to serve, the role's patience is asked. */
function isFallback(decision: RouteDecision): boolean {
  return decision.kind === 'cloud' && decision.reason === 'cloud_fallback';
}

function filterContext(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  mayWait: boolean,
  settings: RouteSettings,
): FilterContext {
  const foundTooLongBy = request.foundTooLongBy ?? NONE;
  const context = {
    request,
    pinnedModel: request.task === 'embeddings' ? pinnedModel(groups) : null,
    room: ANY_ROOM,
    foundTooLongBy,
    tooSmallTokens: foundTooLongBy.size === 0 ? 0 : largestContext(groups, foundTooLongBy),
    leavesLastSlot: mayWait && request.task === 'chat' && request.hints?.streams === false,
  };
  const room = planRoom(request, groups, context, settings.filter);
  return room === ANY_ROOM ? context : { ...context, room };
}

function askReplicas(
  { request, terms, random, settings }: Looker,
  { candidates, reasons, passed }: Pool,
  considered: readonly Considered[],
): RouteDecision {
  const patienceMs = patienceOf(request, settings.wait);
  const mayPace = terms.mayPace && request.mayWait === true && patienceMs > 0;
  const fillsLastSlots = isSlotScarce({ reasons, passed }, terms.waiting ?? 0);
  const asked = mayPace === terms.mayPace && !fillsLastSlots ? terms : { ...terms, mayPace, fillsLastSlots };
  const { index, tied, isFavoured, costs, lookAgainInMs } = chooseReplica(
    request,
    passed,
    asked,
    random,
    settings.predict,
  );
  const told = tell({ candidates, reasons, passed }, costs, index, considered);
  if (index < 0) {
    const waitsFor = candidates
      .filter((candidate, place) => isWaitedFor(candidate, reasons?.[place] ?? null))
      .map(({ target }) => target);
    return { kind: 'wait', reason: 'paced', detail: PACED, waitsFor, lookAgainInMs, patienceMs, ...told };
  }
  const { deployment } = passed[index] as ReplicaCandidate;
  const reason = choiceReason(request, passed.length, tied, isFavoured);
  return { kind: 'send', deployment, reason, ...told };
}

/**
 * One alone has a slot left, and there is somebody waiting for each of those that serve. Then no wait for a first token lets a
 * request go elsewhere: what the others have is full of answers, and a slot that stays empty is time lost to all who wait.
 */
function isSlotScarce({ reasons, passed }: Pick<Pool, 'reasons' | 'passed'>, waiting: number): boolean {
  if (reasons === null || passed.length > 1 || waiting < 2) return false;
  let full = 0;
  for (const reason of reasons) if (reason === 'full') full += 1;
  return full > 0 && waiting > full;
}

const NO_COSTS = new Float64Array(0);
const PACED = 'all that could serve it read other prompts first';

/** A provider that is preferred to replicas: who asks why is told what they would have taken. */
function withCosts(
  { request, terms, random, settings }: Looker,
  pool: Pool,
  decision: RouteDecision,
): RouteDecision {
  const { costs } = chooseReplica(
    request,
    pool.passed,
    { ...terms, mayPace: false },
    random,
    settings.predict,
  );
  const { considered, others } = tell(pool, costs, -1, []);
  const all = { ...decision, considered: [...considered, ...decision.considered] };
  return others === undefined ? all : { ...all, others };
}

/** @param before lines of groups in front of it */
function tell(
  { candidates, reasons, passed }: Pool,
  costs: Float64Array,
  chosen: number,
  before: readonly Considered[],
): Told {
  const compared = { candidates, reasons, costs, passed: passed.length, chosen };
  if (before.length + candidates.length <= MOST_TOLD) {
    const lines = tellEach(compared);
    return { considered: before.length === 0 ? lines : [...before, ...lines] };
  }
  const { considered, others } = tellCheapest(compared);
  return { considered: [...before, ...considered], others };
}

function isWaitedFor(replica: ReplicaCandidate, reason: FilterReason | null): boolean {
  return reason === null || (reason === 'full' && !isLastSlotKept(replica));
}

function choiceReason(
  request: RouteRequest,
  passed: number,
  tied: number,
  isFavoured: boolean,
): ChoiceReason {
  if (isAskedByName(request)) return 'asked_by_name';
  if (passed === 1) return 'only_candidate';
  if (isFavoured) return 'affinity';
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

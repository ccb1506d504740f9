import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { Considered, RouteRequest, WaitDecision, WaitReason } from '../route-types.js';
import { describeObstacle } from './describe-obstacle.js';
import { type ExpectationSettings, expectSoon } from './expect-soon.js';
import { isLastSlotKept } from './filter-candidate.js';

export interface WaitSettings extends ExpectationSettings {
  /** Of a deployment that is asked for by its own name; a request for a role may ask for as much where the role does not say. */
  readonly directPatienceMs: number;
  /** Of a request that is not streamed, while a host wakes: its client gets no byte meanwhile. */
  readonly silentPatienceMs: number;
}

/** Of several the one to tell: what is nearest to serving. */
const NEAREST: readonly WaitReason[] = ['full', 'loading', 'silent'];

/**
 * Whether a request that nobody can take now is to be held. Where the last line looked at is a provider that would serve,
 * only what somebody is at work on is worth a wait: a replica that has merely fallen silent may stay so.
 *
 * @param considered a line for each candidate that was looked at, in the order of `groups`
 */
export function planWait(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  settings: WaitSettings,
): WaitDecision | null {
  if (request.mayWait !== true) return null;
  const patienceMs = patienceOf(request, settings);
  if (patienceMs <= 0) return null;
  const hasCloud = considered.at(-1)?.verdict === 'chosen';
  const waitsFor: string[] = [];
  let lookAgainInMs: number | null = null;
  let nearest = NEAREST.length;
  let detail = '';
  for (const { replica, verdict } of replicasOf(groups, considered)) {
    if (verdict === 'chosen' || verdict === 'passed_over') continue;
    const expected = expectSoon(replica, verdict, settings);
    if (expected === null || (hasCloud && !expected.isSure)) continue;
    // Those whom its slot is kept for wait for it: it does not stand before them.
    if (verdict !== 'full' || !isLastSlotKept(replica)) waitsFor.push(replica.target);
    lookAgainInMs = sooner(lookAgainInMs, expected.lookAgainInMs);
    const rank = NEAREST.indexOf(expected.reason);
    if (rank >= nearest) continue;
    nearest = rank;
    detail = `${replica.target}: ${describeObstacle(replica, verdict, request)}`;
  }
  const reason = NEAREST[nearest];
  if (reason === undefined) return null;
  const told = hasCloud ? withoutChoice(considered) : considered;
  return { kind: 'wait', reason, detail, waitsFor, lookAgainInMs, patienceMs, considered: told };
}

/** Of all that serve now, the only ones that could take it keep their last slot for others. */
export function isOnlyKeptOut(groups: readonly CandidateGroup[], considered: readonly Considered[]): boolean {
  let isKeptOut = false;
  for (const { replica, verdict } of replicasOf(groups, considered)) {
    if (verdict !== 'full') continue;
    if (!isLastSlotKept(replica)) return false;
    isKeptOut = true;
  }
  return isKeptOut;
}

/** Replicas of which something was found out, with it. */
export function* replicasOf(
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
): Iterable<{ replica: ReplicaCandidate; verdict: Considered['verdict'] }> {
  let line = 0;
  for (const group of groups) {
    if (group.kind === 'provider') {
      line += 1;
      continue;
    }
    for (const replica of group.candidates) {
      const verdict = considered[line]?.verdict;
      if (verdict === undefined) return;
      yield { replica, verdict };
      line += 1;
    }
  }
}

/**
 * How long it may be held, in milliseconds; 0: not at all. As is declared, or what its client asks for, up to the longest that may
 * be asked for.
 */
export function patienceOf({ resolved, maxWaitMs = null }: RouteRequest, settings: WaitSettings): number {
  const { directPatienceMs } = settings;
  switch (resolved.kind) {
    case 'role': {
      const { patienceSeconds, longestPatienceSeconds } = resolved.role;
      if (maxWaitMs === null) return patienceSeconds * 1000;
      const longestSeconds = longestPatienceSeconds ?? Math.max(patienceSeconds, directPatienceMs / 1000);
      return Math.min(maxWaitMs, longestSeconds * 1000);
    }
    case 'deployment':
      return Math.min(maxWaitMs ?? directPatienceMs, directPatienceMs);
    case 'providerModel':
      return 0;
  }
}

function sooner(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** What would have served is passed over. */
export function withoutChoice(considered: readonly Considered[]): readonly Considered[] {
  return considered.map((line) => (line.verdict === 'chosen' ? { ...line, verdict: 'passed_over' } : line));
}

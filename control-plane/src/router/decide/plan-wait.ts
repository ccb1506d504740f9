import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { Considered, RouteRequest, WaitDecision, WaitReason } from '../route-types.js';
import { describeObstacle } from './describe-obstacle.js';
import { type ExpectationSettings, expectSoon } from './expect-soon.js';

export interface WaitSettings extends ExpectationSettings {
  /** Of a deployment that is asked for by its own name. */
  readonly directPatienceMs: number;
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
    waitsFor.push(replica.target);
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

function* replicasOf(
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

/** How long it may be held, in milliseconds; 0: not at all. */
export function patienceOf({ resolved }: RouteRequest, settings: WaitSettings): number {
  if (resolved.kind === 'role') return resolved.role.patienceSeconds * 1000;
  return resolved.kind === 'deployment' ? settings.directPatienceMs : 0;
}

function sooner(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function withoutChoice(considered: readonly Considered[]): readonly Considered[] {
  return considered.map((line) => (line.verdict === 'chosen' ? { ...line, verdict: 'passed_over' } : line));
}

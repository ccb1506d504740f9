import { SECOND_WAKE_SAVES_MS } from '../../live/until-ready.js';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { Considered, RouteDecision, RouteRequest, Waking } from '../route-types.js';
import { describeObstacle } from './describe-obstacle.js';
import { expectSoon } from './expect-soon.js';
import { type RefusalSettings, refuseWaking } from './explain-refusal.js';
import { isAsleep, isGone, isWaking } from './judge-asleep.js';
import { patienceOf, replicasOf, type WaitSettings, withoutChoice } from './plan-wait.js';

export interface WakingSettings {
  readonly wait: WaitSettings;
  readonly refusal: RefusalSettings;
}

const NOBODY: Waking = { wake: [], wakeWithinMs: 0 };

type CloudDecision = Extract<RouteDecision, { kind: 'cloud' }>;

/** In the order of declaration. */
interface Sleepers {
  /** Replicas that a wake could bring, or is about to. */
  readonly all: readonly ReplicaCandidate[];
  /** Those whose hosts are being woken. */
  readonly waking: readonly ReplicaCandidate[];
}

/**
 * What is made of a request that no awake replica takes or is about to take, while a host sleeps or wakes that could: it wakes
 * and waits, or the cloud serves while that host wakes, or it is told when to come again.
 *
 * @param considered a line for each candidate that was looked at, in the order of `groups`
 * @param cloud what would serve it else; `null`: nothing
 * @returns `null` where no host's sleep changes anything
 */
export function planWaking(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  cloud: CloudDecision | null,
  settings: WakingSettings,
): RouteDecision | null {
  const found = findSleepers(groups, considered, settings);
  if (found === null) return null;
  const onAsleep = onAsleepOf(request);
  if (onAsleep === 'refuse' && found.all.some(isGone)) {
    const told = cloud === null ? considered : withoutChoice(considered);
    return refuseWaking(request, groups, told, NOBODY, settings.refusal);
  }
  const mayWake = mayWakeFor(request);
  // A host that wakes anyway may be waited for by whoever may not wake one.
  const hopes = mayWake ? found.all : found.waking;
  if (hopes.length === 0) return null;
  const patienceMs = waitFor(request, groups, cloud, settings);
  const leftMs = patienceMs - (request.waitedMs ?? 0);
  const wake = mayWake ? hopes.map(({ target }) => target) : [];
  // Who does not wait for it asks on behalf of the next one, which has all its patience before it.
  const forNext = { wake, wakeWithinMs: patienceMs };
  if (cloud !== null && onAsleep !== 'hold') return whileWaking(cloud, forNext);
  const etaMs = soonestMs(found.waking) ?? soonestMs(hopes);
  const another = mayWake && request.wakes === 'may' ? quickerThan(found, leftMs) : null;
  const isTooLate = etaMs !== null && etaMs > leftMs && another === null && !isWaitingForLate(request, found);
  if (request.mayWait !== true || leftMs <= 0 || isTooLate) {
    if (cloud !== null) return whileWaking(cloud, forNext);
    return refuseWaking(request, groups, considered, forNext, settings.refusal);
  }
  const first = another ?? found.waking[0] ?? (hopes[0] as ReplicaCandidate);
  const waiting = {
    reason: 'waking' as const,
    detail: `${first.target}: ${describeObstacle(first, 'host_asleep', request)}`,
    waitsFor: hopes.map(({ target }) => target),
    // A step of the wake that is told before this one has its place is not heard by it; nor does any event tell that one
    // which was tried too soon may be tried again.
    lookAgainInMs: settings.wait.doubtLookMs,
    patienceMs,
    considered: cloud === null ? considered : withoutChoice(considered),
  };
  if (wake.length === 0) return { kind: 'wait', ...waiting };
  return {
    ...{ kind: 'wakeThenWait', wake, wakeWithinMs: leftMs, wakesAnother: another !== null },
    ...waiting,
  };
}

/** Milliseconds until the first of these that sleep or wake is ready; `null`: none of them does, or nothing is known. */
export function readyAfterWakeMs(groups: readonly CandidateGroup[]): number | null {
  const all = groups.flatMap((group) => (group.kind === 'replicas' ? group.candidates : []));
  const wakingMs = soonestMs(all.filter(isWaking));
  const asleepMs = soonestMs(all.filter((each) => isAsleep(each) && !isWaking(each)));
  if (wakingMs === null || asleepMs === null) return wakingMs ?? asleepMs;
  // Who asks has another woken where that is worth it.
  return asleepMs + SECOND_WAKE_SAVES_MS <= wakingMs ? asleepMs : wakingMs;
}

/** @returns `null` where nobody sleeps, or something awake takes it or is about to: nobody is woken for want of a slot */
function findSleepers(
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  { wait }: WakingSettings,
): Sleepers | null {
  const waking: ReplicaCandidate[] = [];
  const all: ReplicaCandidate[] = [];
  for (const { replica, verdict } of replicasOf(groups, considered)) {
    if (verdict === 'passed_over' || verdict === 'chosen') return null;
    if (isWaking(replica) && WAKING_VERDICTS.has(verdict)) {
      waking.push(replica);
      all.push(replica);
    } else if (verdict === 'host_asleep') {
      all.push(replica);
    } else if (expectSoon(replica, verdict, wait) !== null) {
      return null;
    }
  }
  return all.length === 0 ? null : { all, waking };
}

/** What a replica may show while its host wakes. */
const WAKING_VERDICTS: ReadonlySet<string> = new Set([
  'host_asleep',
  'host_away',
  'host_late',
  'not_ready',
  'tunnel_down',
  'address_unknown',
  'breaker_open',
  'already_tried',
]);

function onAsleepOf({ resolved }: RouteRequest): 'hold' | 'cloud' | 'cloudThenLocal' | 'refuse' {
  return resolved.kind === 'role' ? resolved.role.onAsleep : 'hold';
}

/** A request of class `batch` wakes nobody, whatever its key may. */
function mayWakeFor(request: RouteRequest): boolean {
  const onAsleep = onAsleepOf(request);
  return (
    (request.wakes === 'may' || request.wakes === 'no_other') &&
    request.requestClass !== 'batch' &&
    (onAsleep === 'hold' || onAsleep === 'cloudThenLocal')
  );
}

/** A sleeping one that is in time, and far sooner than those that are on their way and are not. Whether it can be woken the fleet says. */
function quickerThan({ all, waking }: Sleepers, leftMs: number): ReplicaCandidate | null {
  const wakingMs = soonestMs(waking);
  if (wakingMs === null || wakingMs <= leftMs) return null;
  const mostMs = Math.min(leftMs, wakingMs - SECOND_WAKE_SAVES_MS);
  return all.find((each) => !isWaking(each) && each.wakeInMs !== null && each.wakeInMs <= mostMs) ?? null;
}

/**
 * Milliseconds that it may wait for a wake, from its first wait on. Who gets no byte meanwhile may think the connection dead; and a
 * provider that is asked where others take longer than declared is asked where a wake takes longer.
 */
function waitFor(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  cloud: CloudDecision | null,
  { wait }: WakingSettings,
): number {
  const streams = request.hints?.streams === true;
  const mostMs = streams ? Number.POSITIVE_INFINITY : wait.silentPatienceMs;
  const patienceMs = Math.min(patienceOf(request, wait), mostMs);
  return cloud?.reason === 'wait_exceeded'
    ? Math.min(patienceMs, (opensAfter(cloud, groups) ?? 0) * 1000)
    : patienceMs;
}

/** Who waits already has nothing of leaving early: what is late may be there at any moment. */
function isWaitingForLate({ waitedMs }: RouteRequest, { waking }: Sleepers): boolean {
  return (waitedMs ?? 0) > 0 && waking.some(({ isWakeLate }) => isWakeLate);
}

function opensAfter({ provider, model }: CloudDecision, groups: readonly CandidateGroup[]): number | null {
  const target = `${provider.name}/${model.name}`;
  const group = groups.find((each) => each.kind === 'provider' && each.candidate.target === target);
  return group?.opensAfterSeconds ?? null;
}

function whileWaking(cloud: CloudDecision, waking: Waking): RouteDecision {
  if (waking.wake.length === 0) return cloud;
  return { ...cloud, kind: 'cloudWhileWaking', reason: 'cloud_while_waking', ...waking };
}

function soonestMs(replicas: readonly ReplicaCandidate[]): number | null {
  let soonest: number | null = null;
  for (const { wakeInMs } of replicas) {
    if (wakeInMs !== null && (soonest === null || wakeInMs < soonest)) soonest = wakeInMs;
  }
  return soonest;
}

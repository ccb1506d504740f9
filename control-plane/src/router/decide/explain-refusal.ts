import type { Candidate, CandidateGroup } from '../candidate.js';
import type {
  Considered,
  FilterReason,
  RefusalCode,
  RouteDecision,
  RouteRequest,
  Waking,
} from '../route-types.js';
import { describeObstacle } from './describe-obstacle.js';
import { contextOf } from './estimate-need.js';
import { isUnderWay } from './expect-soon.js';
import { isWaking } from './judge-asleep.js';
import { longestTarget } from './plan-room.js';

export interface RefusalSettings {
  readonly fullSeconds: RetryRange;
  readonly notReadySeconds: RetryRange;
  readonly lateSeconds: number;
  readonly awaySeconds: number;
  readonly wakingSeconds: RetryRange;
  readonly drainingSeconds: number;
  readonly failedSeconds: number;
}

/** `usual` where nothing better is known; what is computed is kept within the others. Whole seconds. */
interface RetryRange {
  readonly least: number;
  readonly usual: number;
  readonly most: number;
}

/** A target that was ruled out, and by what. */
interface Obstacle {
  readonly candidate: Candidate;
  readonly reason: FilterReason;
}

/** More targets than this are counted, not told: the sentence goes into an error message. */
const TARGETS_TOLD = 6;

/**
 * Of several obstacles the one to tell is the one that is gone first: a client that waits for it is served
 * soonest. What no waiting mends comes last, so it is told only where it is all there is.
 */
const PRECEDENCE: readonly FilterReason[] = [
  'full',
  'rate_limited',
  'already_tried',
  'breaker_open',
  'tunnel_down',
  'address_unknown',
  'not_ready',
  'host_late',
  'host_asleep',
  'host_away',
  'yielded',
  'draining',
  'not_yet',
  'context_too_long',
  'lacks_capability',
  'local_only',
  'cloud_not_allowed',
  'provider_refuses',
  'provider_key_missing',
  'endpoint_not_spoken',
  'condition_context',
  'condition_capability',
  'condition_local',
  'wrong_task',
  'other_model',
  'not_that_target',
];

const CODES: Readonly<Record<FilterReason, RefusalCode>> = {
  full: 'no_capacity',
  already_tried: 'all_failed',
  breaker_open: 'not_ready',
  not_ready: 'not_ready',
  tunnel_down: 'not_ready',
  address_unknown: 'not_ready',
  host_late: 'host_away',
  host_away: 'host_away',
  host_asleep: 'host_asleep',
  draining: 'not_ready',
  yielded: 'yielded',
  context_too_long: 'context_too_long',
  cloud_not_allowed: 'cloud_not_allowed',
  provider_key_missing: 'provider_key_missing',
  local_only: 'local_only',
  rate_limited: 'rate_limited',
  provider_refuses: 'provider_refuses',
  lacks_capability: 'lacks_capability',
  condition_context: 'condition_unmet',
  condition_capability: 'condition_unmet',
  condition_local: 'condition_unmet',
  // Kept closed only while something else is expected.
  not_yet: 'no_capacity',
  // Stands only beside the one that was asked for.
  not_that_target: 'not_ready',
  // Stands only beside the role's first target, which always has another reason: never the one told.
  other_model: 'not_ready',
  wrong_task: 'wrong_task',
  endpoint_not_spoken: 'endpoint_not_spoken',
};

const HEADLINES: Readonly<Record<RefusalCode, string>> = {
  no_capacity: 'all that could serve it now is full',
  host_away: 'its host is away',
  host_asleep: 'its host is asleep',
  waking: 'its host is being woken',
  not_ready: 'nothing that serves it is ready',
  yielded: 'its card is in use by the owner of its host',
  loading: 'its replica is on its way and not ready yet',
  all_failed: 'every attempt failed',
  context_too_long: 'the request is too long for every target',
  wrong_task: 'it cannot do this task',
  endpoint_not_spoken: 'nothing that serves it speaks this endpoint',
  cloud_not_allowed: 'only the cloud could serve it and this key may not use the cloud',
  provider_key_missing:
    'only a provider could serve it and the control plane has no API key for that provider',
  local_only: 'only the cloud could serve it now and the request asks for local targets alone',
  rate_limited: 'only a provider could serve it now and that one limits its rate',
  provider_refuses: 'only a provider could serve it and that one refuses what the control plane has for it',
  lacks_capability: 'no target can do what the request needs',
  condition_unmet: 'its targets are kept for other requests',
};

/**
 * The most useful refusal when no target passed.
 *
 * @param considered one line for each candidate of `groups`, in their order, none of them chosen
 */
export function explainRefusal(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  settings: RefusalSettings,
): Extract<RouteDecision, { kind: 'refuse' }> {
  const obstacles = obstaclesOf(groups, considered);
  const name = nameOf(request);
  const told = PRECEDENCE.find((reason) => obstacles.some((obstacle) => obstacle.reason === reason));
  if (told === undefined) {
    // A role that lost its last target while the request was on its way.
    const detail = `${name}: it has no targets any more`;
    return { kind: 'refuse', code: 'not_ready', detail, retryAfterSeconds: 0, considered };
  }
  const isLoading = told === 'not_ready' && obstacles.some(isOnItsWay);
  const code = isLoading ? 'loading' : CODES[told];
  const longest = code === 'context_too_long' ? describeLongest(groups) : '';
  const detail = `${name}: ${HEADLINES[code]}${longest} (${listObstacles(obstacles, request)})`;
  const retryAfterSeconds = retryAfter(told, obstacles, settings);
  return { kind: 'refuse', code, detail, retryAfterSeconds, considered };
}

/**
 * The refusal of a request that only hosts could serve which sleep or are being woken.
 *
 * @param waking hosts that are to be woken for the next one
 */
export function refuseWaking(
  request: RouteRequest,
  groups: readonly CandidateGroup[],
  considered: readonly Considered[],
  waking: Waking,
  settings: RefusalSettings,
): Extract<RouteDecision, { kind: 'refuse' }> {
  const { wake } = waking;
  const obstacles = obstaclesOf(groups, considered);
  const flights = obstacles.filter(({ candidate }) => candidate.kind === 'replica' && isWaking(candidate));
  const code = wake.length > 0 || flights.length > 0 ? 'waking' : 'host_asleep';
  const woken =
    flights.length > 0 ? flights : obstacles.filter(({ candidate }) => wake.includes(candidate.target));
  const retryAfterSeconds =
    code === 'waking' ? soonest(woken, null, untilWokenMs, settings.wakingSeconds) : settings.awaySeconds;
  const when = code === 'waking' ? `, ready in about ${retryAfterSeconds} s` : '';
  const detail = `${nameOf(request)}: ${HEADLINES[code]}${when} (${listObstacles(obstacles, request)})`;
  const refusal = { kind: 'refuse', code, detail, retryAfterSeconds, considered } as const;
  return wake.length === 0 ? refusal : { ...refusal, ...waking };
}

function untilWokenMs(candidate: Candidate): number | null {
  return candidate.kind === 'replica' ? candidate.wakeInMs : null;
}

function obstaclesOf(groups: readonly CandidateGroup[], considered: readonly Considered[]): Obstacle[] {
  const candidates = groups.flatMap((group): readonly Candidate[] =>
    group.kind === 'replicas' ? group.candidates : [group.candidate],
  );
  const obstacles: Obstacle[] = [];
  candidates.forEach((candidate, index) => {
    const verdict = considered[index]?.verdict;
    if (verdict === undefined || verdict === 'chosen' || verdict === 'passed_over') return;
    obstacles.push({ candidate, reason: verdict });
  });
  return obstacles;
}

function isOnItsWay({ candidate, reason }: Obstacle): boolean {
  return reason === 'not_ready' && candidate.kind === 'replica' && isUnderWay(candidate);
}

function nameOf({ resolved }: RouteRequest): string {
  switch (resolved.kind) {
    case 'role':
      return `role ${resolved.role.name}`;
    case 'deployment':
      return `deployment ${resolved.deployment.name}`;
    case 'providerModel':
      return `model ${resolved.provider.name}/${resolved.model.name}`;
  }
}

function describeLongest(groups: readonly CandidateGroup[]): string {
  const longest = longestTarget(groups);
  return longest === null ? '' : `, and ${longest.target} is the longest with ${contextOf(longest)} tokens`;
}

function listObstacles(obstacles: readonly Obstacle[], request: RouteRequest): string {
  const told = obstacles.filter(({ reason }) => reason !== 'not_that_target');
  const phrases = told
    .slice(0, TARGETS_TOLD)
    .map(({ candidate, reason }) => `${candidate.target}: ${describeObstacle(candidate, reason, request)}`);
  const untold = told.length - phrases.length;
  if (untold > 0) phrases.push(`and ${untold} more`);
  return phrases.join('; ');
}

/** A provider knows for itself how long it takes. */
const AS_TOLD: RetryRange = { least: 1, usual: 1, most: Number.POSITIVE_INFINITY };

/** Whole seconds until trying again makes sense; 0: it never does. */
function retryAfter(told: FilterReason, obstacles: readonly Obstacle[], settings: RefusalSettings): number {
  switch (told) {
    case 'full':
      return soonest(obstacles, told, untilSlotMs, settings.fullSeconds);
    case 'rate_limited':
    case 'provider_refuses':
      return soonest(obstacles, told, untilRestedMs, AS_TOLD);
    case 'already_tried':
      return settings.failedSeconds;
    case 'breaker_open':
      return soonest(obstacles, told, (candidate) => candidate.blockedForMs, settings.notReadySeconds);
    case 'not_ready':
    case 'address_unknown':
      return settings.notReadySeconds.usual;
    case 'tunnel_down':
      return settings.notReadySeconds.least;
    case 'host_late':
      return settings.lateSeconds;
    case 'host_away':
    case 'host_asleep':
      return settings.awaySeconds;
    case 'yielded':
      return settings.awaySeconds;
    case 'draining':
      return settings.drainingSeconds;
    case 'context_too_long':
    case 'wrong_task':
    case 'endpoint_not_spoken':
    case 'other_model':
    case 'cloud_not_allowed':
    case 'provider_key_missing':
    case 'local_only':
    case 'lacks_capability':
    case 'condition_context':
    case 'condition_capability':
    case 'condition_local':
    case 'not_that_target':
      return 0;
    case 'not_yet':
      return settings.fullSeconds.usual;
  }
}

/** @param reason only of those that it stopped; `null`: of all */
function soonest(
  obstacles: readonly Obstacle[],
  reason: FilterReason | null,
  waitMs: (candidate: Candidate) => number | null,
  range: RetryRange,
): number {
  let leastMs: number | null = null;
  for (const obstacle of obstacles) {
    if (reason !== null && obstacle.reason !== reason) continue;
    const ms = waitMs(obstacle.candidate);
    if (ms !== null && (leastMs === null || ms < leastMs)) leastMs = ms;
  }
  if (leastMs === null) return range.usual;
  return Math.min(range.most, Math.max(range.least, Math.ceil(leastMs / 1000)));
}

function untilRestedMs(candidate: Candidate): number | null {
  if (candidate.kind === 'replica') return null;
  return candidate.restForMs > 0 ? candidate.restForMs : candidate.tokensInMs;
}

/**
 * Milliseconds until a full target may have room. Slots that are held for `meanHoldMs` each and were taken at
 * different times fall free every `meanHoldMs / slots`.
 */
function untilSlotMs(candidate: Candidate): number | null {
  if (candidate.kind === 'provider') return candidate.busyForMs;
  const { slots } = candidate;
  if (candidate.inflight < slots) return candidate.busyForMs;
  if (candidate.meanHoldMs === null) return null;
  return Math.max(candidate.busyForMs, candidate.meanHoldMs / slots);
}

import type { ReplicaCandidate } from '../candidate.js';
import type { FilterReason, WaitReason } from '../route-types.js';
import { isLastSlotKept } from './filter-candidate.js';
import { isWaking, isWished } from './judge-asleep.js';

export interface ExpectationSettings {
  /** A replica that we do not run and that answers no more may be restarting for this long. */
  readonly unansweredMs: number;
  /** Between the old container and the new one there may be none for this long. */
  readonly recreationMs: number;
  /** An agent opens its tunnel again by itself; what is missing for longer is no gap. */
  readonly tunnelGapMs: number;
  /** With the first report of a link its agent tells what is needed to reach an engine directly. */
  readonly untoldMs: number;
  /** While nobody knows whether it is restarting: asked again this often, since its agent may be slower to see it. */
  readonly doubtLookMs: number;
}

/** A replica that is not ready and is expected to be. `isSure`: somebody is at work on it. */
export interface Expectation {
  readonly reason: WaitReason;
  readonly isSure: boolean;
  /** Something changes by itself then, without an event; `null`: an event tells. */
  readonly lookAgainInMs: number | null;
}

/** Phases on the way to `ready`, and those that a replica goes through before it is made anew. */
const UNDER_WAY: ReadonlySet<string> = new Set([
  'pulling',
  'creating',
  'starting',
  'loading',
  'warming',
  'draining',
  'stopping',
  'unparking',
]);

/**
 * Tells what is expected soon from what is broken. A failed, crash-looping, stopped or parked replica, an away or draining
 * host and what can never serve the request are not waited for here; of one whose host is being woken the wake tells.
 *
 * @param ruledOutBy what the filters said of it
 * @returns `null`: nothing is to be expected of it
 */
export function expectSoon(
  replica: ReplicaCandidate,
  ruledOutBy: FilterReason,
  settings: ExpectationSettings,
): Expectation | null {
  if (ruledOutBy !== 'full' && (!isWished(replica) || isWaking(replica))) return null;
  switch (ruledOutBy) {
    case 'full': {
      const { busyForMs, keptForMs } = replica;
      const opensInMs = isLastSlotKept(replica) ? keptForMs : busyForMs;
      return { reason: 'full', isSure: true, lookAgainInMs: opensInMs > 0 ? opensInMs : null };
    }
    case 'host_late':
      return { reason: 'silent', isSure: false, lookAgainInMs: null };
    case 'not_ready':
      return expectPhase(replica, settings);
    case 'tunnel_down':
    case 'address_unknown':
      return expectWay(replica, settings);
    case 'breaker_open':
      return inDoubt(replica, settings);
    case 'already_tried':
      return expectTried(replica, settings);
    default:
      return null;
  }
}

/** Whether somebody is at work on it. Of an engine that others run, `starting` says only that nobody answers. */
export function isUnderWay(replica: ReplicaCandidate): boolean {
  const { phase, deployment } = replica;
  return (
    UNDER_WAY.has(phase) && isWished(replica) && !(deployment.engine === 'external' && phase === 'starting')
  );
}

function expectTried(replica: ReplicaCandidate, settings: ExpectationSettings): Expectation | null {
  if (!canBeReached(replica)) return null;
  if (replica.phase !== 'ready') return expectPhase(replica, settings);
  return replica.noWay === null ? inDoubt(replica, settings) : expectWay(replica, settings);
}

/** Its host has a link and takes requests. */
function canBeReached({ presence, draining, yielded }: ReplicaCandidate): boolean {
  return presence !== 'away' && presence !== 'unseen' && !draining && !yielded;
}

function expectPhase(replica: ReplicaCandidate, settings: ExpectationSettings): Expectation | null {
  const { phase, phaseForMs } = replica;
  if (phase === 'absent') return within(phaseForMs, settings.recreationMs, 'loading', true);
  // One that its agent keeps is started again a second after it died; what lasts longer is no restart.
  if (phase === 'failed' && replica.deployment.engine === 'vllm' && !replica.needsSignIn) {
    return within(phaseForMs, settings.recreationMs, 'loading', false);
  }
  if (isUnderWay(replica)) return { reason: 'loading', isSure: true, lookAgainInMs: null };
  return phase === 'starting' ? within(phaseForMs, settings.unansweredMs, 'loading', false) : null;
}

function expectWay(
  { noWay, noWayForMs }: ReplicaCandidate,
  settings: ExpectationSettings,
): Expectation | null {
  const mostMs = noWay?.reason === 'tunnel_down' ? settings.tunnelGapMs : settings.untoldMs;
  return within(noWayForMs, mostMs, 'silent', false);
}

function within(forMs: number, mostMs: number, reason: WaitReason, isSure: boolean): Expectation | null {
  const leftMs = mostMs - forMs;
  return leftMs > 0 ? { reason, isSure, lookAgainInMs: leftMs } : null;
}

function inDoubt(
  { doubtForMs, blockedForMs }: ReplicaCandidate,
  { doubtLookMs }: ExpectationSettings,
): Expectation | null {
  if (doubtForMs <= 0) return null;
  const lookAgainInMs = Math.min(blockedForMs > 0 ? blockedForMs : doubtLookMs, doubtLookMs, doubtForMs);
  return { reason: 'silent', isSure: false, lookAgainInMs };
}

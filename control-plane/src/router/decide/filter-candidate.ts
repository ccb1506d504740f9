import { modelIdentity } from '../../declared/decide/desired-replica.js';
import type { TargetCondition } from '../../declared/declared-state.js';
import type { Candidate, CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import { NO_NEEDS, needsOf } from '../needs.js';
import type { FilterReason, RouteRequest } from '../route-types.js';
import { contextOf, type NeedSettings, needAt } from './estimate-need.js';
import { isAsleep, isGone, isUnheard } from './judge-asleep.js';
import { judgeCondition } from './judge-condition.js';
import type { Room } from './plan-room.js';

/** What the filters ask of a request. */
export interface FilterContext {
  readonly request: RouteRequest;
  /** The only model that may serve, as engines and providers call it; `null`: any. */
  readonly pinnedModel: string | null;
  /** What is smaller is passed over. */
  readonly room: Room;
  /** Targets whose engines found this very request too long … */
  readonly foundTooLongBy: ReadonlySet<string>;
  /** … and the largest context that is known of them: what is no larger need not be asked. */
  readonly tooSmallTokens: number;
  /** Whether it leaves the last slot of a replica that starts slowly to those that prove it sooner. */
  readonly leavesLastSlot: boolean;
}

export interface FilterSettings extends NeedSettings {
  /**
   * An estimate of a prompt's length may exceed a context by this factor before the target is ruled out for good:
   * no text that people write is so dense, and an engine is not made to count megabytes in vain. Whatever may fit is
   * the engine's to refuse, which counts exactly.
   */
  readonly contextSlack: number;
}

/**
 * The hard filters, in order: what can never serve this request first, then what was tried, then what cannot
 * serve it now. So a card too small for a prompt says so even while its host is away, and nobody waits for it.
 *
 * @param condition of its role
 * @returns the first thing that rules the candidate out, or `null`
 */
export function filterCandidate(
  candidate: Candidate,
  context: FilterContext,
  settings: FilterSettings,
  condition: TargetCondition | null = null,
): FilterReason | null {
  return (
    filterByRequest(candidate, context, condition) ??
    (candidate.kind === 'replica'
      ? filterReplica(candidate, context, settings)
      : filterProvider(candidate, context, settings))
  );
}

/** Of the candidate at this place of its group. */
export function conditionOf({ conditions }: CandidateGroup, index: number): TargetCondition | null {
  return conditions?.[index] ?? null;
}

/** What no time and no length changes. */
function filterByRequest(
  candidate: Candidate,
  { request, pinnedModel }: FilterContext,
  condition: TargetCondition | null,
): FilterReason | null {
  const { onlyTarget = null, needs = NO_NEEDS, task, endpoint } = request;
  if (onlyTarget !== null && candidate.target !== onlyTarget) return 'not_that_target';
  const isReplica = candidate.kind === 'replica';
  const declared = isReplica ? candidate.deployment : candidate.model;
  if (declared.task !== task) return 'wrong_task';
  if (!isReplica && endpoint !== undefined && !candidate.provider.endpoints.includes(endpoint)) {
    return 'endpoint_not_spoken';
  }
  if (pinnedModel !== null) {
    const model = isReplica ? modelIdentity(candidate.deployment) : candidate.model.model;
    if (model !== pinnedModel) return 'other_model';
  }
  const { capabilities } = declared;
  if (needs !== NO_NEEDS && capabilities !== null && (needs & ~needsOf(capabilities)) !== 0) {
    return 'lacks_capability';
  }
  return condition === null ? null : judgeCondition(condition, request, candidate);
}

function filterReplica(
  replica: ReplicaCandidate,
  context: FilterContext,
  settings: FilterSettings,
): FilterReason | null {
  if (isTooLong(context, replica, settings)) return 'context_too_long';
  if (context.request.excluded.has(replica.target)) return triedReason(replica);
  if (isGone(replica)) return isAsleep(replica) ? 'host_asleep' : 'host_away';
  if (replica.presence === 'late') return 'host_late';
  if (replica.draining) return 'draining';
  const { power } = replica;
  if ((power.state === 'asleep' || power.goingToSleep !== null) && isAsleep(replica)) return 'host_asleep';
  if (replica.yielded) return 'yielded';
  if (replica.phase !== 'ready' || isUnheard(power)) return 'not_ready';
  if (replica.noWay !== null) return replica.noWay.reason;
  if (replica.blockedForMs > 0) return 'breaker_open';
  if (replica.busyForMs > 0 || replica.inflight >= replica.slots) return 'full';
  return context.leavesLastSlot && isLastSlotKept(replica) ? 'full' : null;
}

/**
 * A stream proves a newcomer with its first byte, a whole answer only with its end, which may be half a minute later: taken by one,
 * the last slot would stand in the way of all the others for so long.
 */
export function isLastSlotKept({ keptForMs, busyForMs, inflight, slots }: ReplicaCandidate): boolean {
  return keptForMs > 0 && busyForMs <= 0 && inflight === slots - 1;
}

function filterProvider(
  provider: CloudCandidate,
  context: FilterContext,
  settings: FilterSettings,
): FilterReason | null {
  const { request } = context;
  if (isTooLong(context, provider, settings)) return 'context_too_long';
  if (!request.mayCloud) return 'cloud_not_allowed';
  if (!provider.keyPresent) return 'provider_key_missing';
  const refused = refusedReason(provider, request);
  if (refused !== null) return refused;
  if (request.excluded.has(provider.target)) return triedReason(provider);
  if (provider.blockedForMs > 0) return 'breaker_open';
  if (provider.busyForMs > 0) return 'full';
  // Last: it then says that this provider, and nothing but the client's own wish, stands between it and an answer.
  if (request.localOnly === true) return 'local_only';
  return null;
}

/** By what it told itself, be it to this request or another. */
function refusedReason(
  { restForMs, restCause, tokensLeft }: CloudCandidate,
  { estimatedPromptTokens }: RouteRequest,
): FilterReason | null {
  if (restForMs > 0) {
    return restCause === 'key' || restCause === 'unpaid' ? 'provider_refuses' : 'rate_limited';
  }
  return tokensLeft < (estimatedPromptTokens ?? 1) ? 'rate_limited' : null;
}

/** One that was tried and only said "my queue is full" has not failed: it is full. */
function triedReason(candidate: Candidate): FilterReason {
  return candidate.busyForMs > 0 ? 'full' : 'already_tried';
}

/**
 * By what another engine said of this request, else by the estimate. That is asked of chats alone: a request for
 * embeddings or scores carries many inputs, each of which has the whole context to itself, so their sum says nothing.
 */
function isTooLong(context: FilterContext, candidate: Candidate, settings: FilterSettings): boolean {
  if (context.foundTooLongBy.has(candidate.target)) return true;
  const most = contextOf(candidate);
  if (most === null) return false;
  if (most <= context.tooSmallTokens) return true;
  const { request, room } = context;
  if (request.task !== 'chat') return false;
  if (most < room.tokens || (room.mustFit && most < needAt(request, candidate, settings))) return true;
  const { estimatedPromptTokens } = request;
  return estimatedPromptTokens !== null && estimatedPromptTokens > most * settings.contextSlack;
}

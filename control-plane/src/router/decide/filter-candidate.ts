import type { Task } from '@ai-fabric/shared';
import { modelIdentity } from '../../declared/decide/desired-replica.js';
import type { Candidate, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import type { FilterReason } from '../route-types.js';

/** What the filters ask of a request. */
export interface FilterContext {
  readonly task: Task;
  readonly estimatedPromptTokens: number | null;
  readonly excluded: ReadonlySet<string>;
  readonly mayCloud: boolean;
  readonly localOnly: boolean;
  /** The only model that may serve, as engines and providers call it; `null`: any. */
  readonly pinnedModel: string | null;
  /** A smaller context is passed over. 0: none is. */
  readonly roomTokens: number;
  /** Targets whose engines found this very request too long … */
  readonly foundTooLongBy: ReadonlySet<string>;
  /** … and the largest context that is known of them: what is no larger need not be asked. */
  readonly tooSmallTokens: number;
}

export interface FilterSettings {
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
 * @returns the first thing that rules the candidate out, or `null`
 */
export function filterCandidate(
  candidate: Candidate,
  context: FilterContext,
  settings: FilterSettings,
): FilterReason | null {
  return candidate.kind === 'replica'
    ? filterReplica(candidate, context, settings)
    : filterProvider(candidate, context);
}

function filterReplica(
  replica: ReplicaCandidate,
  context: FilterContext,
  settings: FilterSettings,
): FilterReason | null {
  const { deployment } = replica;
  if (deployment.task !== context.task) return 'wrong_task';
  if (context.pinnedModel !== null && modelIdentity(deployment) !== context.pinnedModel) return 'other_model';
  if (isTooLong(context, replica, settings)) return 'context_too_long';
  if (context.excluded.has(replica.target)) return triedReason(replica);
  if (replica.presence === 'away' || replica.presence === 'unseen') return 'host_away';
  if (replica.presence === 'late') return 'host_late';
  if (replica.draining) return 'draining';
  if (replica.phase !== 'ready') return 'not_ready';
  if (replica.noWay !== null) return replica.noWay.reason;
  if (replica.blockedForMs > 0) return 'breaker_open';
  if (replica.busyForMs > 0 || replica.inflight >= replica.slots) return 'full';
  return null;
}

function filterProvider(provider: CloudCandidate, context: FilterContext): FilterReason | null {
  if (provider.model.task !== context.task) return 'wrong_task';
  if (context.pinnedModel !== null && provider.model.model !== context.pinnedModel) return 'other_model';
  if (context.foundTooLongBy.has(provider.target)) return 'context_too_long';
  if (!context.mayCloud) return 'cloud_not_allowed';
  if (!provider.keyPresent) return 'provider_key_missing';
  const refused = refusedReason(provider, context);
  if (refused !== null) return refused;
  if (context.excluded.has(provider.target)) return triedReason(provider);
  if (provider.blockedForMs > 0) return 'breaker_open';
  if (provider.busyForMs > 0) return 'full';
  // Last: it then says that this provider, and nothing but the client's own wish, stands between it and an answer.
  if (context.localOnly) return 'local_only';
  return null;
}

/** By what it told itself, be it to this request or another. */
function refusedReason(
  { restForMs, restCause, tokensLeft }: CloudCandidate,
  { estimatedPromptTokens }: FilterContext,
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
 * By what another engine said of this request, else by the estimate. That is not asked of embeddings: such a request carries many inputs, each of which has the whole context to itself, so
 * their sum says nothing; and as their model never changes there would be nowhere else to go.
 */
function isTooLong(
  context: FilterContext,
  { target, contextTokens }: ReplicaCandidate,
  settings: FilterSettings,
): boolean {
  if (context.foundTooLongBy.has(target)) return true;
  if (contextTokens === null) return false;
  if (contextTokens <= context.tooSmallTokens) return true;
  const { task, estimatedPromptTokens } = context;
  if (task === 'embeddings') return false;
  if (contextTokens < context.roomTokens) return true;
  return estimatedPromptTokens !== null && estimatedPromptTokens > contextTokens * settings.contextSlack;
}

import type { TargetCondition } from '../../declared/declared-state.js';
import type { Candidate, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import { listNeeds, NO_NEEDS, needsOf } from '../needs.js';
import type { FilterReason, RouteRequest } from '../route-types.js';
import { contextOf, estimatePrompt } from './estimate-need.js';
import { isLastSlotKept } from './filter-candidate.js';
import { targetKey } from './group-targets.js';
import { isGone, isLeaving } from './judge-asleep.js';
import type { RestCause } from './step-cooldown.js';

/** What stands in the way of one target, as a phrase for a client's error message: thing, place, fix where known. */
export function describeObstacle(candidate: Candidate, reason: FilterReason, request: RouteRequest): string {
  const ofRole = describeRoleObstacle(candidate, reason, request);
  if (ofRole !== null) return ofRole;
  return candidate.kind === 'replica'
    ? describeReplica(candidate, reason, request)
    : describeProvider(candidate, reason, request);
}

/** What is declared of the target and its role, and needs no look at how things are. */
function describeRoleObstacle(
  candidate: Candidate,
  reason: FilterReason,
  request: RouteRequest,
): string | null {
  const when = conditionOf(candidate, request);
  switch (reason) {
    case 'lacks_capability':
      return describeLack(candidate, request);
    case 'condition_context':
      return `is kept for at most ${when?.maxContext} tokens by the role's maxContext, ${describeNeed(candidate, request)}`;
    case 'condition_capability':
      return `is kept for requests that need ${when?.capabilities?.join(' or ')} by the role's capabilities`;
    case 'condition_local':
      return "is kept for requests that may not leave the own hosts by the role's localOnly";
    case 'not_yet':
      return `is asked when the others take longer than ${when?.whenWaitExceeds} s`;
    default:
      return null;
  }
}

function conditionOf({ target }: Candidate, { resolved }: RouteRequest): TargetCondition | null {
  if (resolved.kind !== 'role') return null;
  return resolved.role.targets.find((each) => targetKey(each) === target)?.when ?? null;
}

function describeLack(candidate: Candidate, { needs = NO_NEEDS }: RouteRequest): string {
  const { capabilities } = candidate.kind === 'replica' ? candidate.deployment : candidate.model;
  const lacking = listNeeds(needs & ~needsOf(capabilities ?? []));
  return `is not declared to do ${lacking.join(' and ')}, which the request needs`;
}

function describeReplica(replica: ReplicaCandidate, reason: FilterReason, request: RouteRequest): string {
  const { host, servedModel, task } = replica.deployment;
  switch (reason) {
    case 'host_away':
      return describeAway(replica);
    case 'host_asleep':
      return describeAsleep(replica, request);
    case 'host_late':
      return `host ${host} has fallen silent`;
    case 'draining':
      return `host ${host} is draining; undrain it to use it again`;
    case 'yielded':
      return `the card of host ${host} is its owner's for now; it is back when they are done`;
    case 'not_ready':
      if (replica.power.flight !== null) return describeAsleep(replica, request);
      return replica.needsSignIn
        ? `its replica on ${host} cannot start before somebody signs in there`
        : `its replica on ${host} is ${replica.phase}`;
    case 'tunnel_down':
      return `the tunnel to host ${host} is down; its agent opens it again by itself`;
    case 'address_unknown':
      return replica.noWay?.reason === 'address_unknown' ? replica.noWay.detail : describeCommon(reason);
    case 'full':
      return describeFull(replica);
    case 'breaker_open':
      return `failed repeatedly, is tried again in ${seconds(replica.blockedForMs)} s`;
    case 'context_too_long':
      return describeTooLong(replica, request);
    case 'wrong_task':
      return `is for ${task}, the request is for ${request.task}`;
    case 'other_model':
      return `serves ${servedModel}, whose vectors would not match`;
    default:
      return describeCommon(reason);
  }
}

function describeFull(replica: ReplicaCandidate): string {
  const { inflight, slots, deployment } = replica;
  const { maxConcurrent } = deployment;
  if (inflight >= maxConcurrent) {
    return `${maxConcurrent === 1 ? 'its one slot is' : `all ${maxConcurrent} slots are`} taken`;
  }
  if (inflight >= slots) return `has just become ready, and takes ${slots} at a time until it has answered`;
  return isLastSlotKept(replica)
    ? 'has just become ready, and takes one that streams next'
    : 'its engine says that its queue is full';
}

function describeTooLong(candidate: Candidate, request: RouteRequest): string {
  const most = contextOf(candidate);
  if (request.foundTooLongBy?.has(candidate.target) === true) {
    return candidate.kind === 'replica'
      ? 'its engine finds the request too long'
      : 'finds the request too long';
  }
  if ((request.foundTooLongBy?.size ?? 0) > 0) return `takes ${most} tokens, which is no more`;
  return `takes ${most} tokens, ${describeNeed(candidate, request)}`;
}

function describeNeed(candidate: Candidate, request: RouteRequest): string {
  const prompt = `the prompt has about ${estimatePrompt(request, candidate)}`;
  return request.maxTokens ? `${prompt} and the answer may have ${request.maxTokens}` : prompt;
}

function describeAsleep(replica: ReplicaCandidate, request: RouteRequest): string {
  const { power, deployment, wakeInMs } = replica;
  if (power.flight !== null) return `host ${deployment.host} is being woken (${power.flight.text})`;
  const what = describeSleep(replica);
  const why = whyNotWoken(request);
  if (why !== null) return `${what}; ${why}`;
  return wakeInMs === null ? what : `${what}, ready ${seconds(wakeInMs)} s after a wake`;
}

function describeSleep(replica: ReplicaCandidate): string {
  const { power, deployment, phase } = replica;
  if (isGone(replica))
    return `host ${deployment.host} is ${power.state === 'asleep' ? 'asleep' : 'asleep or off'}`;
  if (isLeaving(power)) return `host ${deployment.host} is about to sleep`;
  return `its replica on ${deployment.host} is ${phase}, as its host rests`;
}

/** `null`: it may be, or nobody asks that. */
function whyNotWoken({ wakes, requestClass, resolved }: RouteRequest): string | null {
  const onAsleep = resolved.kind === 'role' ? resolved.role.onAsleep : 'hold';
  if (onAsleep === 'refuse' || onAsleep === 'cloud') return `the role's onAsleep: ${onAsleep} wakes nobody`;
  if (wakes === 'key_forbids') return 'this key may not wake it';
  return wakes === 'may' && requestClass === 'batch' ? 'a request of class batch wakes nobody' : null;
}

function describeAway({ deployment, presence, mayBeAway, power }: ReplicaCandidate): string {
  if (power.wakeability.kind === 'no') {
    return `host ${deployment.host} is away and cannot be woken: ${power.wakeability.detail}`;
  }
  if (presence === 'unseen') return `host ${deployment.host} has never joined; run its agent`;
  if (mayBeAway) return `host ${deployment.host} is asleep or off, which is normal for it`;
  return `host ${deployment.host} is away; start it, or its agent`;
}

function describeProvider(candidate: CloudCandidate, reason: FilterReason, request: RouteRequest): string {
  const { blockedForMs, restForMs, restCause } = candidate;
  const provider = candidate.provider.name;
  switch (reason) {
    case 'provider_key_missing':
      return `the control plane has no API key for provider ${provider}`;
    case 'full':
      return `provider ${provider} says that it is busy`;
    case 'breaker_open':
      return `provider ${provider} failed repeatedly, is tried again in ${seconds(blockedForMs)} s`;
    case 'rate_limited':
      return restForMs > 0
        ? `provider ${provider} ${REST_CAUSES[restCause]}; asked again in ${seconds(restForMs)} s`
        : describeTokensLeft(candidate, request);
    case 'provider_refuses':
      return `provider ${provider} ${REST_CAUSES[restCause]}; tried again in ${seconds(restForMs)} s`;
    case 'local_only':
      return 'would answer, and is not asked because of x-fabric-local-only';
    case 'context_too_long':
      return describeTooLong(candidate, request);
    case 'wrong_task':
      return `is not for ${request.task}`;
    case 'endpoint_not_spoken':
      return `provider ${provider} is not declared to speak "${request.endpoint}"; its "endpoints" in fabric.yaml say what it speaks`;
    case 'other_model':
      return 'is another model, whose vectors would not match';
    default:
      return describeCommon(reason);
  }
}

const REST_CAUSES: Readonly<Record<RestCause, string>> = {
  rate: 'limits its rate',
  quota: 'says that the quota of its account is used up; see its billing page',
  key: 'refuses the API key that the control plane has for it (401); put a valid one where it is declared',
  unpaid: 'wants to be paid first (402); see its billing page',
};

function describeTokensLeft(
  { provider, tokensLeft, tokensInMs }: CloudCandidate,
  { estimatedPromptTokens }: RouteRequest,
): string {
  const needed = estimatedPromptTokens === null ? '' : `, the prompt has about ${estimatedPromptTokens}`;
  return `provider ${provider} has ${tokensLeft} tokens left for the next ${seconds(tokensInMs)} s${needed}`;
}

function describeCommon(reason: FilterReason): string {
  if (reason === 'already_tried') return 'was tried for this request and failed';
  if (reason === 'cloud_not_allowed') return 'this key may not use the cloud';
  return reason.replaceAll('_', ' ');
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

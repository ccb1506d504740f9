import type { Task } from '@ai-fabric/shared';
import type { ResolvedModel } from '../declared/declared-state.js';
import type { RequestClass } from '../declared/request-class.js';
import type { WakePermit } from '../router/route-types.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { PeekedRequest } from './decide/peek-request.js';
import type { SpokenRequest, TraceContext } from './decide/upstream-headers.js';
import { DIRECT_TIMEOUTS, GATEWAY_LIMITS } from './gateway-limits.js';
import type { AffinityHints } from './read-affinity.js';
import type { CallTimeouts } from './upstream/upstream-call.js';

/** What is asked for. */
export interface LoopRequest {
  readonly requestId: string;
  readonly keyId: string;
  /** What is asked for, by its declared name. */
  readonly role: string;
  readonly endpoint: EngineEndpoint;
  readonly peeked: PeekedRequest;
  readonly affinity: AffinityHints;
  readonly resolved: ResolvedModel;
  readonly mayCloud: boolean;
  readonly localOnly: boolean;
  /** The one target that the client asks for; `null`: any. */
  readonly onlyTarget: string | null;
  /** It may be held where nobody can take it now. */
  readonly mayWait: boolean;
  readonly wakes: WakePermit;
  readonly formType: SpokenRequest['formType'];
  readonly spokenHeaders: SpokenRequest['spokenHeaders'];
  readonly requestClass: RequestClass;
  /** What its client allows it to be held; `null`: as is declared. */
  readonly maxWaitMs: number | null;
  readonly trace: TraceContext;
}

/** Of the tasks that an endpoint has, that of what was asked for; where it has another, the usual one. */
export function taskFor({ tasks }: EngineEndpoint, resolved: ResolvedModel): Task {
  const { task } = resolved.kind === 'role' ? resolved.role : resolvedTarget(resolved);
  return tasks.includes(task) ? task : tasks[0];
}

function resolvedTarget(resolved: Exclude<ResolvedModel, { kind: 'role' }>): { readonly task: Task } {
  return resolved.kind === 'deployment' ? resolved.deployment : resolved.model;
}

export function timeoutsOf({ resolved, peeked }: LoopRequest, nowMs: number): CallTimeouts {
  const declared = resolved.kind === 'role' ? resolved.role : DIRECT_TIMEOUTS;
  const writingMs = peeked.stream ? 0 : (peeked.maxTokens ?? 0) * GATEWAY_LIMITS.perTokenMs;
  return {
    firstByteMs: declared.firstByteTimeoutSeconds * 1000 + writingMs,
    idleMs: declared.idleTimeoutSeconds * 1000,
    totalAtMs: nowMs + declared.totalTimeoutSeconds * 1000,
    pausedMs: GATEWAY_LIMITS.clientStallMs,
  };
}

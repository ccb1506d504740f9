import type { ExternalReplica, Task } from '@ai-fabric/shared';
import type { ObservedReplica } from './replica-observation.js';

/** What is to be done about a replica next. */
export type ReplicaStep =
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Does it answer, and does it list the model? */
  | { readonly kind: 'list_models' }
  /** One token, or one embedding: the only proof that counts. */
  | { readonly kind: 'prove'; readonly task: Task; readonly model: string }
  | { readonly kind: 'check_health' };

/** How often an engine is asked what it serves: somebody else runs it, and may have given it another model. */
const RELIST_MS = 60_000;

/** @param nowMs monotonic */
export function planReplicaStep(
  desired: ExternalReplica,
  observed: ObservedReplica,
  nowMs: number,
): ReplicaStep {
  if (nowMs < observed.nextLookMs) return { kind: 'wait', untilMs: observed.nextLookMs };
  switch (observed.phase) {
    case 'absent':
    case 'starting':
    case 'loading':
      return { kind: 'list_models' };
    case 'warming':
      return prove(desired);
    case 'failed':
      return isListOld(observed, nowMs) ? { kind: 'list_models' } : prove(desired);
    case 'ready':
      return isListOld(observed, nowMs) ? { kind: 'list_models' } : { kind: 'check_health' };
    default:
      return observed.phase satisfies never;
  }
}

function prove({ task, servedModel }: ExternalReplica): ReplicaStep {
  return { kind: 'prove', task, model: servedModel };
}

function isListOld(observed: ObservedReplica, nowMs: number): boolean {
  return nowMs - observed.modelsListedAtMs >= RELIST_MS;
}

import { describeReplica, type ExternalReplica, type Issue, type ReplicaStatus } from '@ai-fabric/shared';
import { clipText, describeIssue } from '../../sensors/decide/describe-issue.js';
import type { ObservedReplica } from './replica-observation.js';

/** An engine that starts refuses connections for a minute or so; that is no issue yet. */
const UNREACHABLE_AFTER_MS = 60_000;
const MODEL_MISSING_AFTER_MS = 15_000;

export function replicaStatus(desired: ExternalReplica, observed: ObservedReplica): ReplicaStatus {
  return describeReplica({
    deployment: desired.deployment,
    phase: observed.phase,
    detail: observed.detail === null ? null : clipText(observed.detail, 500),
    code: observed.phase === 'failed' ? 'engine_proof_failed' : null,
    engineVersion: observed.engineVersion,
    maxModelLen: observed.maxModelLen,
  });
}

/** The issue of a replica that is not ready. It clears with the phase that it belongs to. @param nowMs monotonic */
export function replicaIssues(
  desired: ExternalReplica,
  observed: ObservedReplica,
  nowMs: number,
): readonly Issue[] {
  const inPhaseMs = nowMs - observed.sinceMs;
  const detail = observed.detail ?? '';
  switch (observed.phase) {
    case 'starting':
      if (inPhaseMs < UNREACHABLE_AFTER_MS) return [];
      return [
        describeIssue(
          'engine_unreachable',
          'warning',
          desired.deployment,
          detail,
          'Start the engine, or correct the url of the deployment.',
        ),
      ];
    case 'loading':
      if (inPhaseMs < MODEL_MISSING_AFTER_MS) return [];
      return [
        describeIssue(
          'engine_model_missing',
          'warning',
          desired.deployment,
          detail,
          "Set the deployment's servedModel to a name that the engine lists, or start the engine with that model.",
        ),
      ];
    case 'failed':
      return [
        describeIssue(
          'engine_proof_failed',
          'error',
          desired.deployment,
          detail,
          "Look into the engine's own log; the agent asks again by itself.",
        ),
      ];
    case 'absent':
    case 'warming':
    case 'ready':
      return [];
    default:
      return observed.phase satisfies never;
  }
}

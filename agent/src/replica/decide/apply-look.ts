import type { ExternalReplica } from '@ai-fabric/shared';
import type { ExternalPhase, LookResult, ObservedReplica } from './replica-observation.js';

/** A start takes a minute or more; a while after it, looking each second is no longer worth it. */
const EAGER_MS = 120_000;
const PATIENT_LOOK_MS = 5_000;
const FULL_RETRY_MS = 2_000;
/** A busy engine may be late with one answer. */
const MISSES_ALLOWED = 2;
const RETRY_MISS_MS = 250;
const PROOF_BACKOFF_MS = 5_000;
const PROOF_BACKOFF_CAP_MS = 120_000;

export interface LookCadence {
  /** How soon an engine that is not ready is looked at again. */
  readonly lookMs: number;
  /** How soon one that is. */
  readonly readyLookMs: number;
}

/**
 * What is known after a look. Total: every result has a meaning in every phase.
 *
 * @param nowMs monotonic
 */
export function applyLook(
  desired: ExternalReplica,
  observed: ObservedReplica,
  result: LookResult,
  nowMs: number,
  { lookMs, readyLookMs }: LookCadence,
): ObservedReplica {
  switch (result.kind) {
    case 'models':
      return applyModels(desired, observed, result, nowMs, { lookMs, readyLookMs });
    case 'healthy':
      return { ...observed, misses: 0, nextLookMs: nowMs + readyLookMs };
    case 'proved':
      return {
        ...enter(observed, 'ready', null, nowMs),
        failedProofs: 0,
        misses: 0,
        nextLookMs: nowMs + readyLookMs,
      };
    case 'proof_failed':
      return {
        ...enter(observed, 'failed', result.detail, nowMs),
        failedProofs: observed.failedProofs + 1,
        nextLookMs: nowMs + proofBackoffMs(observed.failedProofs),
      };
    case 'full':
      // Only a proof is turned away like this: it stays what it was and is asked again.
      return { ...observed, detail: result.detail, nextLookMs: nowMs + FULL_RETRY_MS };
    case 'refused':
      return lookAgain(gone(observed, 'starting', result.detail, nowMs), nowMs, lookMs);
    case 'silent':
      return applyMiss(observed, 'starting', result.detail, nowMs, lookMs);
    case 'odd':
      return applyMiss(observed, 'loading', result.detail, nowMs, lookMs);
    default:
      return result satisfies never;
  }
}

function applyModels(
  desired: ExternalReplica,
  observed: ObservedReplica,
  result: Extract<LookResult, { kind: 'models' }>,
  nowMs: number,
  { lookMs, readyLookMs }: LookCadence,
): ObservedReplica {
  const model = result.models.find(({ id }) => id === desired.servedModel);
  if (!model) {
    const lists = result.models.map(({ id }) => id).slice(0, 5);
    const listed = lists.length > 0 ? `it lists ${lists.join(', ')}` : 'it lists none';
    const detail = `The engine answers, but does not serve ${desired.servedModel}: ${listed}.`;
    return lookAgain(gone(observed, 'loading', detail, nowMs), nowMs, lookMs);
  }
  const { engineVersion } = result;
  const known = {
    ...observed,
    maxModelLen: model.maxModelLen,
    engineVersion,
    modelsListedAtMs: nowMs,
    misses: 0,
  };
  if (observed.phase === 'ready') return { ...known, nextLookMs: nowMs + readyLookMs };
  // It stays failed until a token says otherwise.
  if (observed.phase === 'failed') return { ...known, nextLookMs: nowMs };
  return { ...enter(known, 'warming', 'Waiting for a first token from it.', nowMs), nextLookMs: nowMs };
}

/** A ready engine is given the benefit of the doubt, and is looked at again at once. */
function applyMiss(
  observed: ObservedReplica,
  phase: ExternalPhase,
  detail: string,
  nowMs: number,
  lookMs: number,
): ObservedReplica {
  if (observed.phase === 'ready' && observed.misses < MISSES_ALLOWED) {
    return {
      ...observed,
      misses: observed.misses + 1,
      nextLookMs: nowMs + Math.min(RETRY_MISS_MS, lookMs),
    };
  }
  return lookAgain(gone(observed, phase, detail, nowMs), nowMs, lookMs);
}

/** Not the engine that was there: what was learnt of it is worth nothing. */
function gone(
  observed: ObservedReplica,
  phase: ExternalPhase,
  detail: string,
  nowMs: number,
): ObservedReplica {
  return {
    ...enter(observed, phase, detail, nowMs),
    engineVersion: null,
    maxModelLen: null,
    failedProofs: 0,
    misses: 0,
  };
}

function enter(
  observed: ObservedReplica,
  phase: ExternalPhase,
  detail: string | null,
  nowMs: number,
): ObservedReplica {
  return { ...observed, phase, detail, sinceMs: observed.phase === phase ? observed.sinceMs : nowMs };
}

function lookAgain(observed: ObservedReplica, nowMs: number, lookMs: number): ObservedReplica {
  const eager = nowMs - observed.sinceMs < EAGER_MS;
  return { ...observed, nextLookMs: nowMs + (eager ? lookMs : Math.max(PATIENT_LOOK_MS, lookMs)) };
}

function proofBackoffMs(failedProofs: number): number {
  return Math.min(PROOF_BACKOFF_CAP_MS, PROOF_BACKOFF_MS * 2 ** Math.min(failedProofs, 10));
}

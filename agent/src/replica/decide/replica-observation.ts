import type { ReplicaPhase } from '@ai-fabric/shared';

/** The phases of an engine that somebody else runs. */
export type ExternalPhase = Extract<
  ReplicaPhase,
  'absent' | 'starting' | 'loading' | 'warming' | 'ready' | 'failed'
>;

/** What the agent knows of an engine that somebody else runs. All times are monotonic. */
export interface ObservedReplica {
  readonly phase: ExternalPhase;
  /** When this phase began. */
  readonly sinceMs: number;
  /** When the next look is due. */
  readonly nextLookMs: number;
  /** Why it is not ready, in words. */
  readonly detail: string | null;
  readonly engineVersion: string | null;
  readonly maxModelLen: number | null;
  readonly modelsListedAtMs: number;
  /** Proofs that failed since the last one that held. */
  readonly failedProofs: number;
  /** Looks at a ready engine in a row that brought nothing. */
  readonly misses: number;
}

/** What one look at an engine brought. */
export type LookResult =
  | {
      readonly kind: 'models';
      readonly models: readonly ServedModel[];
      readonly engineVersion: string | null;
    }
  | { readonly kind: 'healthy' }
  | { readonly kind: 'proved' }
  | { readonly kind: 'proof_failed'; readonly detail: string }
  /** The proof was turned away because the engine is full: it lives. */
  | { readonly kind: 'full'; readonly detail: string }
  /** Nobody listens there. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** No answer in time, or a connection that broke: once says nothing, in a row it does. */
  | { readonly kind: 'silent'; readonly detail: string }
  /** An answer, but not the one of an engine: an error, HTML, a redirect. */
  | { readonly kind: 'odd'; readonly detail: string };

export interface ServedModel {
  readonly id: string;
  readonly maxModelLen: number | null;
}

/** Nothing is known yet, and a look is due at once. */
export function newObservation(nowMs: number): ObservedReplica {
  return {
    phase: 'starting',
    sinceMs: nowMs,
    nextLookMs: nowMs,
    detail: 'The engine was not looked at yet.',
    engineVersion: null,
    maxModelLen: null,
    modelsListedAtMs: nowMs,
    failedProofs: 0,
    misses: 0,
  };
}

import type { KeyedWrite } from '../../registry/write-journal.js';

/** What is to be done with a write that brings an idempotency key. */
export type Repeat =
  /** The key is new. */
  | { readonly kind: 'first' }
  | {
      readonly kind: 'replay';
      readonly status: number;
      readonly contentType: string | null;
      readonly body: string;
    }
  | {
      readonly kind: 'refuse';
      readonly code: 'in_flight' | 'idempotency_key_reused' | 'outcome_unknown' | 'answer_not_kept';
      readonly detail: string;
      readonly fix: string;
    };

export interface RepeatFacts {
  readonly fingerprint: string;
  /** Of the request with this key that is under way. */
  readonly inFlight: string | null;
  /** What the key was used for. */
  readonly earlier: KeyedWrite | null;
}

export function judgeRepeat({ fingerprint, inFlight, earlier }: RepeatFacts): Repeat {
  if ((inFlight ?? earlier?.fingerprint ?? fingerprint) !== fingerprint) {
    const detail = 'this idempotency key came with another request before';
    return { kind: 'refuse', code: 'idempotency_key_reused', detail, fix: 'make a new key for each write' };
  }
  if (inFlight !== null) {
    const detail = 'a request with this idempotency key is under way';
    return { kind: 'refuse', code: 'in_flight', detail, fix: 'send it again in a second for its answer' };
  }
  if (earlier === null) return { kind: 'first' };
  const { status, contentType, body, requestId } = earlier;
  if (status === null) {
    const detail = `the control plane ended while it worked on this (request ${requestId})`;
    return {
      kind: 'refuse',
      code: 'outcome_unknown',
      detail,
      fix: 'look whether it was done, then use a new key',
    };
  }
  if (body === null) {
    const detail = `it was done (status ${status}, request ${requestId}); its answer held a secret or was too large`;
    const fix = 'read what there is now; a secret that was lost is revoked, and made anew with a new key';
    return { kind: 'refuse', code: 'answer_not_kept', detail, fix };
  }
  return { kind: 'replay', status, contentType, body };
}

import type { SecretFailure, SecretProblem, SecretResult } from '../secret-result.js';

/** What is kept of a secret between two looks at it. */
export interface RememberedSecret {
  readonly result: SecretResult;
  /** Of what `result` was read from: a look at the same need not read again. */
  readonly version: string | null;
  /** Why the last look failed; `result` may still be what the last good one found. */
  readonly failing: SecretProblem | null;
}

/** What a look found. `version` `null`: the next look is to read again. */
export interface SecretLook {
  readonly result: SecretResult;
  readonly version: string | null;
}

export type SecretTold =
  | {
      readonly kind: 'failing';
      readonly code: SecretProblem;
      readonly detail: string;
      /** The last good value goes on being used. */
      readonly isUsedAsItWas: boolean;
    }
  | { readonly kind: 'recovered' }
  | { readonly kind: 'replaced' };

/**
 * @param before `null` at the first look
 * @returns what to keep, and what to say, once for each stretch of one failure
 */
export function takeLook(
  before: RememberedSecret | null,
  look: SecretLook,
): { readonly remembered: RememberedSecret; readonly told: SecretTold | null } {
  const { result, version } = look;
  if (!result.ok) return takeFailure(before, result);
  const remembered = { result, version, failing: null };
  if (before === null) return { remembered, told: null };
  if (before.failing !== null) return { remembered, told: { kind: 'recovered' } };
  const isReplaced = before.result.ok && before.result.value !== result.value;
  return { remembered, told: isReplaced ? { kind: 'replaced' } : null };
}

function takeFailure(before: RememberedSecret | null, failure: SecretFailure) {
  const { code, detail } = failure;
  // A file that everybody may read is no failing source: whoever opened it may have read the key.
  const isUsedAsItWas = before?.result.ok === true && code !== 'file_readable_by_others';
  const result = isUsedAsItWas ? before.result : failure;
  const remembered = { result, version: null, failing: code };
  const isTold = before?.failing === code;
  return { remembered, told: isTold ? null : ({ kind: 'failing', code, detail, isUsedAsItWas } as const) };
}

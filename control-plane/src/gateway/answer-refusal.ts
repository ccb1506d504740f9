import type { RequestOutcome } from '../registry/request-types.js';
import { outlookHeaders } from './answer-now.js';
import type { Refusal } from './decide/describe-refusal.js';
import { ERROR_TABLE, type ErrorFields, errorFields } from './decide/error-table.js';

/** How a refusal is told, and what it counts as. */
export interface RefusalAnswer {
  readonly error: ErrorFields;
  readonly status: number;
  readonly outcome: RequestOutcome;
  readonly headers: readonly string[];
}

/** @param attempts that were made at a target; `null`: none was chosen yet @param isCheck one of our own */
export function answerRefusal(
  { error, retryAfterSeconds, outlook }: Refusal,
  attempts: number | null,
  isCheck: boolean,
): RefusalAnswer {
  const { status } = ERROR_TABLE[error.code];
  const headers = outlook === undefined ? [] : outlookHeaders(outlook);
  if (retryAfterSeconds !== null) headers.push('retry-after', String(retryAfterSeconds));
  return { error: errorFields(error), status, outcome: outcomeOf(status, attempts, isCheck), headers };
}

function outcomeOf(status: number, attempts: number | null, isCheck: boolean): RequestOutcome {
  if (status < 500) return 'client_error';
  if (attempts !== 0) return 'failed';
  return isCheck ? 'check_refused' : 'refused';
}

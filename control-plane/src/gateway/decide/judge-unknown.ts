import type { AttemptFailureCode } from './attempt-failure.js';
import type { EngineEndpoint } from './match-endpoint.js';

/** In these statuses an engine may say that it does not have the path, or the method there. */
const UNKNOWN_STATUSES: ReadonlySet<number> = new Set([404, 405, 501]);
const ABOUT_A_RESPONSE = /previous_response_id|previous_response_not_found|response with id/i;

/**
 * What "not found" means at an endpoint that not every engine has: its own words tell whether the path is missing, or
 * the model, or a response that the client spoke of, which is its own fault.
 *
 * @param kind as it was judged from the status alone
 */
export function judgeUnknown(
  status: number,
  text: string,
  kind: 'clientError' | AttemptFailureCode,
  endpoint: Pick<EngineEndpoint, 'isUniversal' | 'name'>,
): 'clientError' | AttemptFailureCode {
  if (endpoint.isUniversal || !UNKNOWN_STATUSES.has(status)) return kind;
  if (endpoint.name === 'responses' && ABOUT_A_RESPONSE.test(text)) return 'clientError';
  return status === 404 && /\bmodel\b/i.test(text) && !/does not support/i.test(text)
    ? kind
    : 'endpoint_unknown_there';
}

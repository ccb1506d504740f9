import { errors } from 'undici';
import { type AttemptFailure, type AttemptFailureCode, attemptFailure } from '../decide/attempt-failure.js';

const BY_CODE: ReadonlyMap<string, AttemptFailureCode> = new Map<string, AttemptFailureCode>([
  ['ECONNREFUSED', 'connect_refused'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
  ['ETIMEDOUT', 'connect_timeout'],
  ['ENOTFOUND', 'name_not_found'],
  ['EAI_AGAIN', 'name_not_found'],
  ['EAI_FAIL', 'name_not_found'],
  ['ENETUNREACH', 'network_unreachable'],
  ['EHOSTUNREACH', 'network_unreachable'],
  ['ENETDOWN', 'network_unreachable'],
  ['EADDRNOTAVAIL', 'network_unreachable'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'truncated'],
  ['HPE_INVALID_EOF_STATE', 'truncated'],
]);

/**
 * @param answerBegan whether the answer's head had arrived: a connection that ends after it cut the answer short
 */
export function classifyError(error: unknown, answerBegan: boolean): AttemptFailure {
  const cause = firstCause(error);
  const errnoCode = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const known = BY_CODE.get(errnoCode) ?? (TLS_CODE.test(errnoCode) ? 'tls_failed' : 'protocol_error');
  const code = known === 'reset' && answerBegan ? 'truncated' : known;
  return attemptFailure(code, `${errnoCode === '' ? cause.name : errnoCode}: ${cause.message}`);
}

/** A name with several addresses fails with all of their errors at once; the first says it. */
function firstCause(error: unknown): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}

const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/;

/**
 * Whether a kept-alive connection was closed by its other end just as it was used again: the engine never saw the
 * request. (uvicorn closes an idle connection after 5 s.)
 */
export function wasStale(error: unknown): boolean {
  return error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
}

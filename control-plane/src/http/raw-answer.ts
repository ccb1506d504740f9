import { factHeaders, ownFacts } from '../gateway/answer-now.js';
import { ERROR_TABLE, errorFields, type GatewayError } from '../gateway/decide/error-table.js';
import { OPENAI_ERRORS } from '../gateway/decide/render-error.js';

/**
 * An answer in the envelope that clients of `/v1` read, whole, for a socket that no server speaks for.
 *
 * @param status number and phrase
 * @param headers names and values, alternating
 */
export function rawAnswer(
  status: string,
  error: GatewayError,
  requestId: string,
  headers: readonly string[],
): string {
  const body = OPENAI_ERRORS.whole(errorFields(error), ERROR_TABLE[error.code].status, requestId);
  const facts = factHeaders(ownFacts({ requestId, corsHeaders: [] }, error.code));
  let head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  for (const pairs of [facts, headers]) {
    for (let at = 0; at < pairs.length; at += 2) head += `${pairs[at]}: ${pairs[at + 1]}\r\n`;
  }
  return `${head}\r\n${body}`;
}

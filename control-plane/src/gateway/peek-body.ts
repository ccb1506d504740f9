import { isUtf8 } from 'node:buffer';
import { gatewayError } from './decide/error-table.js';
import { type Peek, peekRequest } from './decide/peek-request.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

export type PeekedBody = Peek & { readonly bytes: Buffer };

/** Reads from a whole body what the gateway needs to know; a byte order mark is cut off, for engines refuse it. */
export function peekBody(body: Buffer): PeekedBody {
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  const bytes = hasMark ? body.subarray(3) : body;
  if (!isUtf8(bytes)) {
    return {
      ok: false,
      error: gatewayError('invalid_json', 'The body is not UTF-8, which JSON must be.'),
      bytes,
    };
  }
  const text = bytes.length <= GATEWAY_LIMITS.parseBytes ? bytes.toString('latin1') : null;
  return { ...peekRequest(bytes, text), bytes };
}

import { isUtf8 } from 'node:buffer';
import type { BodyShape } from './decide/body-shapes.js';
import { gatewayError } from './decide/error-table.js';
import { formScanner, peekForm } from './decide/peek-form.js';
import { type Peek, peekRequest } from './decide/peek-request.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

/** The body without a byte order mark, which engines refuse. */
export function withoutMark(body: Buffer): Buffer {
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  return hasMark ? body.subarray(3) : body;
}

/** Reads from a whole body what the gateway needs to know. */
export function peekBody(bytes: Buffer, shape: BodyShape): Peek {
  if (!isUtf8(bytes)) {
    return { ok: false, error: gatewayError('invalid_json', 'The body is not UTF-8, which JSON must be.') };
  }
  return peekRequest(bytes, GATEWAY_LIMITS.checkedBytes, shape);
}

/** As `peekBody`, of a form. */
export function peekFormBody(bytes: Buffer, contentType: string | undefined): Peek {
  const scanner = formScanner(contentType);
  if ('code' in scanner) return { ok: false, error: scanner };
  scanner.push(bytes);
  return peekForm(scanner.end());
}

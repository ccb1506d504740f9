import type { MiddlewareHandler } from 'hono';
import { ApiError } from './problem.js';

/**
 * Bounds what a call may send. Hono's own body limit is not used: where the length is not told (a DELETE from `fetch`
 * says nothing of a body) it makes a new `Request` of the raw one, which the server's light one does not survive.
 *
 * @throws ApiError length_required, too_large
 */
export function limitBody(maxBytes: number): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.header('transfer-encoding') !== undefined) {
      const fix = 'send it in one piece, with Content-Length';
      throw new ApiError('length_required', 'the body came without a length', fix);
    }
    // Node reads no more than was told.
    if (Number(c.req.header('content-length') ?? 0) > maxBytes) {
      throw new ApiError('too_large', `the body is over ${maxBytes} bytes`, 'send less at once');
    }
    await next();
  };
}

import type { Duplex } from 'node:stream';
import { gatewayError } from '../gateway/decide/error-table.js';
import { rawAnswer } from './raw-answer.js';

/** What Node's parser says, as a status and a code. Anything else is a malformed request. */
const known: Readonly<Record<string, { readonly status: string; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'The request has more than 16 kB of headers.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    message:
      'The headers of the request did not arrive in time: within 20 s, or 5 s while few places are left.',
  },
};
const malformed = { status: '400 Bad Request', message: 'The request is not valid HTTP/1.1.' };

/**
 * Answers a request that never became one, in the envelope that clients of `/v1` read, and ends its connection.
 *
 * @param mayBeTold false where an answer is on its way there: what we say would land inside it
 */
export function answerParserError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  requestId: string,
  mayBeTold: boolean,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !mayBeTold) {
    socket.destroy();
    return;
  }
  const { status, message } = known[error.code ?? ''] ?? malformed;
  const told = rawAnswer(status, gatewayError('bad_request', message), requestId, ['connection', 'close']);
  socket.end(told, () => socket.destroy());
}

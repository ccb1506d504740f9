import type { Duplex } from 'node:stream';
import { factHeaders, ownFacts } from '../gateway/answer-now.js';

/** What Node's parser says, as a status and a code. Anything else is a malformed request. */
const known: Readonly<Record<string, { readonly status: string; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'The request has more than 16 kB of headers.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    message: 'The headers of the request did not arrive within 20 s.',
  },
};
const malformed = { status: '400 Bad Request', message: 'The request is not valid HTTP/1.1.' };

/** Answers a request that never became one, in the envelope that clients of `/v1` read, and ends its connection. */
export function answerParserError(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, message } = known[error.code ?? ''] ?? malformed;
  const body = JSON.stringify({
    error: { message, type: 'invalid_request_error', param: null, code: 'bad_request' },
  });
  const facts = factHeaders(ownFacts({ requestId, corsHeaders: [] }, 'bad_request'));
  let head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  for (let at = 0; at < facts.length; at += 2) head += `${facts[at]}: ${facts[at + 1]}\r\n`;
  socket.end(`${head}connection: close\r\n\r\n${body}`, () => socket.destroy());
}

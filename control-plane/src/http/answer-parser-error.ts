import type { Duplex } from 'node:stream';

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
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nx-fabric-reason: bad_request\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

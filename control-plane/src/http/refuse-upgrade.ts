import type { Duplex } from 'node:stream';

const reasons = {
  401: {
    title: 'Unauthorized',
    code: 'unauthorised',
    fix: 'send "Authorization: Bearer …" with the admin token',
  },
  403: { title: 'Forbidden', code: 'forbidden', fix: null },
  404: { title: 'Not Found', code: 'not_found', fix: null },
  503: { title: 'Service Unavailable', code: 'unavailable', fix: 'try again later' },
} as const;

/** Ends a WebSocket handshake with an HTTP answer; the peer learns the code and nothing else. */
export function refuseUpgrade(socket: Duplex, status: keyof typeof reasons, detail: string): void {
  const { title, code, fix } = reasons[status];
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify({ type: 'about:blank', title, status, code, detail, fix });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n${status === 503 ? 'retry-after: 5\r\n' : ''}connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

import type { Duplex } from 'node:stream';

const reasons = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
} as const;

/** Ends a WebSocket handshake with an HTTP answer; the peer learns the code and nothing else. */
export function refuseUpgrade(socket: Duplex, status: keyof typeof reasons, detail: string): void {
  const body = JSON.stringify({ status, detail });
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

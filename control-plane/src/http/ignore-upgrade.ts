import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TUNNEL_PROTOCOL } from '@ai-fabric/shared';

/** What asks for the other protocol. `connection` would name the other two. */
const ASKING = new Set(['upgrade', 'http2-settings', 'connection']);

/** Which of our two protocols is asked for, `null`: none of them. */
export function askedProtocol(request: IncomingMessage): 'websocket' | 'tunnel' | null {
  const asked = (request.headers.upgrade ?? '').toLowerCase().split(/[\s,]+/);
  if (asked.includes(TUNNEL_PROTOCOL)) return 'tunnel';
  return asked.includes('websocket') ? 'websocket' : null;
}

/**
 * Answers a request in HTTP/1.1 that would rather have another protocol, as RFC 9110 (7.8) allows and every client that
 * asks so expects: Java's own sends `Upgrade: h2c` with the first request of each connection, and so does
 * `curl --http2`. Node hands all upgrades over where there is a listener for one, so the request is put back on its
 * connection without the wish, and read again.
 *
 * @param connectionEvent by which this kind of server takes a connection
 */
export function ignoreUpgrade(
  server: Server,
  connectionEvent: 'connection' | 'secureConnection',
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { rawHeaders } = request;
  let text = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (!ASKING.has(name.toLowerCase())) text += `${name}: ${rawHeaders[index + 1]}\r\n`;
  }
  if (/\bclose\b/i.test(request.headers.connection ?? '')) text += 'connection: close\r\n';
  // Node gives the bytes of headers as Latin-1.
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit(connectionEvent, socket);
}

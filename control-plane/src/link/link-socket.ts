import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_FRAME_BYTES } from '@ai-fabric/shared';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

/** An agent's open connection. Every method may be called after its end: it then does nothing. */
export interface LinkSocket {
  /** Of the peer, without the prefix that marks IPv4 within IPv6. */
  readonly peerAddress: string;
  isOpen(): boolean;
  send(text: string): void;
  /** What was sent and the network has not taken yet. */
  bufferedBytes(): number;
  /** @param payload comes back with the pong, at most 125 bytes */
  ping(payload: string): void;
  /** What is sent meanwhile goes out in one write. */
  together(send: () => void): void;
  /** Closes in order; a peer that does not answer is cut off after two seconds. */
  close(code: number, reason: string): void;
}

/** Called in the order of what happens; `closed` once and last. */
export interface LinkSocketListener {
  /** @param text `null` for a binary message: a link speaks text */
  message(text: string | null, sizeBytes: number): void;
  ping(): void;
  pong(payload: string): void;
  /** What came is no WebSocket message, or one above the limit; it was not read, and the connection ends. */
  broken(detail: string): void;
  closed(): void;
}

export interface LinkSocketAcceptor {
  /** Finishes the upgrade, or answers the HTTP error that it deserves. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (socket: LinkSocket) => LinkSocketListener,
  ): void;
}

const CLOSE_TIMEOUT_MS = 2_000;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;

/** The only place of the link that knows `ws`. */
export function createLinkSocketAcceptor(): LinkSocketAcceptor {
  const options = {
    noServer: true,
    clientTracking: false,
    // Twice the CPU and 30 MB for 1,000 links; reports are differences already.
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    // Known to `ws` 8.19 and later, not yet to its types.
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const server = new WebSocketServer(options);
  return {
    accept: (request, socket, head, opened) => {
      server.handleUpgrade(request, socket, head, (ws) => {
        const address = request.socket.remoteAddress ?? 'unknown';
        listen(ws, opened(linkSocket(ws, socket, address.replace(IPV4_IN_IPV6, ''))));
      });
    },
  };
}

function listen(ws: WebSocket, listener: LinkSocketListener): void {
  ws.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = asBuffer(data);
    listener.message(isBinary ? null : bytes.toString('utf8'), bytes.length);
  });
  ws.on('ping', () => listener.ping());
  ws.on('pong', (payload: Buffer) => listener.pong(payload.toString('latin1')));
  ws.on('error', (error) => listener.broken(error.message));
  ws.on('close', () => listener.closed());
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function linkSocket(ws: WebSocket, socket: Duplex, peerAddress: string): LinkSocket {
  const isOpen = (): boolean => ws.readyState === WebSocket.OPEN;
  return {
    peerAddress,
    isOpen,
    send: (text) => {
      if (isOpen()) ws.send(text);
    },
    bufferedBytes: () => ws.bufferedAmount,
    ping: (payload) => {
      if (isOpen()) ws.ping(payload);
    },
    together: (send) => {
      socket.cork();
      try {
        send();
      } finally {
        socket.uncork();
      }
    },
    close: (code, reason) => ws.close(code, reason),
  };
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

/** A subscriber's open connection. Every method may be called after its end: it then does nothing. */
export interface FeedSocket {
  /** @param text UTF-8; the same bytes may go to many */
  send(text: Buffer): void;
  /** What was sent and the network has not taken yet. */
  bufferedBytes(): number;
  ping(): void;
  /** Closes in order; a peer that does not answer is cut off after two seconds. */
  close(code: number, reason: string): void;
  /** Cuts the connection at once. */
  terminate(): void;
}

export interface FeedSocketListener {
  pong(): void;
  /** Once and last. */
  closed(): void;
}

export interface FeedSocketAcceptor {
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (socket: FeedSocket) => FeedSocketListener,
  ): void;
}

/** A subscriber has nothing to say; what is longer than this ends it. */
const MAX_MESSAGE_BYTES = 1_024;
const CLOSE_TIMEOUT_MS = 2_000;

/** The only place of the feed that knows `ws`. */
export function createFeedSocketAcceptor(): FeedSocketAcceptor {
  const options = {
    noServer: true,
    clientTracking: false,
    // Differences compress badly, and each subscriber would pay for it anew.
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // Known to `ws` 8.19 and later, not yet to its types.
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const server = new WebSocketServer(options);
  return {
    accept: (request, socket, head, opened) => {
      server.handleUpgrade(request, socket, head, (ws) => {
        const listener = opened(feedSocket(ws));
        ws.on('pong', () => listener.pong());
        // Such as a message that is too long: `ws` closes with the code for it, and 'close' follows.
        ws.on('error', () => undefined);
        ws.on('close', () => listener.closed());
      });
    },
  };
}

function feedSocket(ws: WebSocket): FeedSocket {
  const isOpen = (): boolean => ws.readyState === WebSocket.OPEN;
  return {
    send: (text) => {
      if (isOpen()) ws.send(text, { binary: false });
    },
    bufferedBytes: () => ws.bufferedAmount,
    ping: () => {
      if (isOpen()) ws.ping();
    },
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
  };
}

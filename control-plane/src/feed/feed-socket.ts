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
/**
 * A message that is longer goes in several frames. TLS keeps, for as long as a connection lives, a buffer of the
 * longest piece that was written to it at once: of 1,000 hosts' snapshot that is 2 MB for each subscriber.
 */
export const MAX_FRAME_BYTES = 128 * 1024;

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
        const feedSocket = new PacedSocket(ws);
        const listener = opened(feedSocket);
        ws.on('pong', () => listener.pong());
        // Such as a message that is too long: `ws` closes with the code for it, and 'close' follows.
        ws.on('error', () => undefined);
        ws.on('close', () => {
          feedSocket.ended();
          listener.closed();
        });
      });
    },
  };
}

/** Sends what is long in parts, each once the network took the one before. */
class PacedSocket implements FeedSocket {
  readonly #ws: WebSocket;
  /** What was not given to `ws` yet; of the first of them some may have been. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of the first that waits. */
  #sentBytes = 0;
  #isTaking = false;
  #closing: { readonly code: number; readonly reason: string; readonly cutOff: NodeJS.Timeout } | null = null;

  constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  send(text: Buffer): void {
    if (!this.#isOpen) return;
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#advance();
  }

  bufferedBytes(): number {
    return this.#ws.readyState === WebSocket.CLOSED ? 0 : this.#waitingBytes + this.#ws.bufferedAmount;
  }

  ping(): void {
    if (this.#isOpen) this.#ws.ping();
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    if (this.#waiting.length === 0) {
      this.#ws.close(code, reason);
      return;
    }
    const cutOff = setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS);
    this.#closing = { code, reason, cutOff };
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Nothing is sent any more. */
  ended(): void {
    clearTimeout(this.#closing?.cutOff);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  get #isOpen(): boolean {
    return this.#closing === null && this.#ws.readyState === WebSocket.OPEN;
  }

  #advance(): void {
    while (!this.#isTaking) {
      const text = this.#waiting[0];
      if (text === undefined) return;
      const part = text.subarray(this.#sentBytes, this.#sentBytes + MAX_FRAME_BYTES);
      this.#sentBytes += part.length;
      this.#waitingBytes -= part.length;
      const fin = this.#sentBytes === text.length;
      if (fin) {
        this.#waiting.shift();
        this.#sentBytes = 0;
      }
      // Behind its last part the next message may follow at once; what is short waits for nobody.
      this.#isTaking = part.length === MAX_FRAME_BYTES;
      this.#ws.send(part, { binary: false, fin }, this.#isTaking ? this.#taken : undefined);
      if (this.#waiting.length === 0) this.#closeIfDue();
    }
  }

  readonly #taken = (error?: Error | null): void => {
    // 'close' follows.
    if (error) return;
    this.#isTaking = false;
    this.#advance();
  };

  #closeIfDue(): void {
    if (!this.#closing) return;
    clearTimeout(this.#closing.cutOff);
    this.#ws.close(this.#closing.code, this.#closing.reason);
  }
}

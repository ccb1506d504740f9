import { applyFeedMessage, type FeedView } from '../decide/apply-feed-message.js';
import { type FeedMessage, feedMessageSchema } from '../feed-messages.js';
import type { FeedSocket, FeedSocketListener } from '../feed-socket.js';

/** A subscriber without a network, which holds what it is told as a real one does. */
export class FakeFeedSocket implements FeedSocket {
  readonly sent: Buffer[] = [];
  readonly messages: FeedMessage[] = [];
  view: FeedView | null = null;
  problem: string | null = null;
  pings = 0;
  closedWith: { code: number; reason: string } | null = null;
  terminated = false;
  /** Set by a test: what is said to wait in the network. */
  buffered = 0;
  #listener: FeedSocketListener | null = null;

  attach(listener: FeedSocketListener): this {
    this.#listener = listener;
    return this;
  }

  send(text: Buffer): void {
    this.sent.push(text);
    const message = feedMessageSchema.parse(JSON.parse(text.toString('utf8')));
    this.messages.push(message);
    const applied = applyFeedMessage(this.view, message);
    if (applied.ok) this.view = applied.view;
    else this.problem = applied.code;
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  ping(): void {
    this.pings += 1;
  }

  pong(): void {
    this.#listener?.pong();
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
  }

  terminate(): void {
    this.terminated = true;
    this.end();
  }

  end(): void {
    this.#listener?.closed();
  }
}

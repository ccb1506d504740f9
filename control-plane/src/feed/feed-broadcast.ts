import { randomBytes } from 'node:crypto';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { LiveView } from '../live/live-view.js';
import { EVERYTHING, type FeedFilter } from './decide/feed-filter.js';
import type { FeedResume } from './decide/parse-feed-query.js';
import type { FeedGoodbye } from './feed-messages.js';
import { FeedPicture } from './feed-picture.js';
import type { FeedSocket, FeedSocketListener } from './feed-socket.js';
import { FeedStream } from './feed-stream.js';

/** One ping in this many ticks: 15 s. A subscriber that has not answered the last one is gone. */
const TICKS_PER_PING = 60;
/** Of the changes of all streams, for those who come again. */
export const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** That go on for a while after their last subscriber went. */
const MAX_DESERTED_STREAMS = 32;

export interface FeedBroadcastParts {
  readonly live: LiveView;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells all subscribers what changes: a stream for each filter that somebody has. */
export class FeedBroadcast {
  readonly #parts: FeedBroadcastParts;
  readonly #picture: FeedPicture;
  readonly #unfollow: () => void;
  readonly #streams = new Map<string, FeedStream>();
  readonly #process = randomBytes(6).toString('base64url');
  #openedCount = 0;
  #ticks = 0;

  constructor(parts: FeedBroadcastParts) {
    this.#parts = parts;
    this.#picture = new FeedPicture(parts.live);
    this.#unfollow = parts.live.onChange((change) => this.#picture.take(change));
  }

  /** Connections, those among them that were told to go. */
  get count(): number {
    let count = 0;
    for (const stream of this.#streams.values()) count += stream.count;
    return count;
  }

  /** With subscribers, or left by them a short while ago. */
  get streamCount(): number {
    return this.#streams.size;
  }

  get keptBytes(): number {
    let bytes = 0;
    for (const { kept } of this.#streams.values()) bytes += kept.bytes;
    return bytes;
  }

  add(
    socket: FeedSocket,
    filter: FeedFilter = EVERYTHING,
    resume: FeedResume | null = null,
  ): FeedSocketListener {
    const stream = this.#streams.get(filter.key) ?? this.#open(filter);
    return stream.add(socket, resume?.stream === stream.id ? resume.seq : null);
  }

  /** Every `FEED_TICK_MS`. */
  tick(): void {
    this.#ticks += 1;
    const changed = this.#picture.commit();
    const isPingDue = this.#ticks % TICKS_PER_PING === 0;
    for (const [key, stream] of this.#streams) {
      if (stream.isOver) this.#streams.delete(key);
      else stream.tick(changed, isPingDue);
    }
    this.#forget();
  }

  /** Ends the feed. */
  end(reason: FeedGoodbye['reason'], code: number, detail: string): void {
    this.#unfollow();
    for (const stream of this.#streams.values()) stream.end(reason, code, detail);
  }

  #open(filter: FeedFilter): FeedStream {
    const deserted = [...this.#streams].filter(([, { count }]) => count === 0);
    for (const [key] of deserted.slice(0, -MAX_DESERTED_STREAMS)) this.#streams.delete(key);
    this.#openedCount += 1;
    const { clock, log } = this.#parts;
    const id = `${this.#process}-${this.#openedCount}`;
    const stream = new FeedStream({ picture: this.#picture, filter, id, clock, log });
    this.#streams.set(filter.key, stream);
    return stream;
  }

  /** Of the streams' changes those that are too many, where there are most. */
  #forget(): void {
    let excess = this.keptBytes - MAX_KEPT_BYTES;
    while (excess > 0) {
      const [largest] = [...this.#streams.values()].sort((one, other) => other.kept.bytes - one.kept.bytes);
      if (largest === undefined) return;
      const before = largest.kept.bytes;
      largest.kept.dropOldest();
      excess -= before - largest.kept.bytes;
    }
  }
}

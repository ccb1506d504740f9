import { type Clock, closeCodes } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { LiveView } from '../live/live-view.js';
import { describeChange } from './decide/describe-change.js';
import type { Changed } from './decide/feed-entry.js';
import { mergeChanged } from './decide/merge-changed.js';
import { LAG_LIMIT_MS, planDelivery } from './decide/plan-delivery.js';
import type { FeedGoodbye, FeedMessage } from './feed-messages.js';
import { FeedPicture } from './feed-picture.js';
import type { FeedSocket, FeedSocketListener } from './feed-socket.js';

/** One ping in this many ticks: 15 s. A subscriber that has not answered the last one is gone. */
const TICKS_PER_PING = 60;

interface Subscriber {
  readonly socket: FeedSocket;
  hasSnapshot: boolean;
  /** What it has not been told, and since when (monotonic); `null`: it holds all. */
  behind: { readonly sinceMs: number; readonly fromSeq: number; readonly changed: Changed } | null;
  answered: boolean;
  leaving: boolean;
}

export interface FeedBroadcastParts {
  readonly live: LiveView;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Tells all subscribers what changes. What those who keep up get is encoded once and the same bytes go to all; one
 * that does not keep up costs a list of what it missed, and gets that in one message when it has caught up.
 */
export class FeedBroadcast {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #picture: FeedPicture;
  readonly #unfollow: () => void;
  readonly #subscribers = new Set<Subscriber>();
  #ticks = 0;

  constructor({ live, clock, log }: FeedBroadcastParts) {
    this.#clock = clock;
    this.#log = log;
    this.#picture = new FeedPicture(live);
    this.#unfollow = live.onChange((change) => this.#picture.take(change));
  }

  /** Connections, those among them that were told to go. */
  get count(): number {
    return this.#subscribers.size;
  }

  /** The snapshot follows with the next tick: it must be of exactly one `seq`. */
  add(socket: FeedSocket): FeedSocketListener {
    const subscriber: Subscriber = {
      socket,
      hasSnapshot: false,
      behind: null,
      answered: true,
      leaving: false,
    };
    this.#subscribers.add(subscriber);
    return {
      pong: () => {
        subscriber.answered = true;
      },
      closed: () => void this.#subscribers.delete(subscriber),
    };
  }

  /** Every `FEED_TICK_MS`. */
  tick(): void {
    this.#ticks += 1;
    const changed = this.#picture.commit();
    const shared = new Once(() => (changed ? this.#encodeChange(changed, this.#picture.seq - 1) : null));
    const snapshot = new Once(() => this.#encodeSnapshot());
    for (const subscriber of this.#subscribers) {
      if (subscriber.leaving) continue;
      if (this.#ticks % TICKS_PER_PING === 0 && !this.#isThere(subscriber)) continue;
      this.#deliver(subscriber, changed, shared, snapshot);
    }
  }

  /** Ends the feed. */
  end(reason: FeedGoodbye['reason'], code: number, detail: string): void {
    this.#unfollow();
    for (const subscriber of this.#subscribers) this.#dismiss(subscriber, reason, code, detail);
  }

  #deliver(
    subscriber: Subscriber,
    changed: Changed | null,
    shared: Once<Buffer | null>,
    snapshot: Once<Buffer>,
  ): void {
    const { socket, hasSnapshot, behind } = subscriber;
    const nowMs = this.#clock.monotonicMs();
    const bufferedBytes = socket.bufferedBytes();
    const delivery = planDelivery({
      bufferedBytes,
      behindSinceMs: behind?.sinceMs ?? null,
      hasSnapshot,
      nowMs,
    });
    switch (delivery) {
      case 'snapshot':
        subscriber.hasSnapshot = true;
        socket.send(snapshot.value);
        break;
      case 'shared':
        if (shared.value) socket.send(shared.value);
        break;
      case 'hold':
        if (changed) this.#fallBehind(subscriber, changed, nowMs);
        break;
      case 'catch_up':
        if (changed) this.#fallBehind(subscriber, changed, nowMs);
        this.#catchUp(subscriber);
        break;
      case 'goodbye': {
        const detail = `Did not keep up for ${LAG_LIMIT_MS / 1_000} s.`;
        this.#log.info({ bufferedBytes }, 'a feed subscriber was too slow');
        this.#dismiss(subscriber, 'slow_consumer', closeCodes.slow_consumer, detail);
        break;
      }
      default:
        delivery satisfies never;
    }
  }

  #fallBehind(subscriber: Subscriber, changed: Changed, nowMs: number): void {
    const { behind } = subscriber;
    subscriber.behind = behind
      ? { ...behind, changed: mergeChanged(behind.changed, changed) }
      : { sinceMs: nowMs, fromSeq: this.#picture.seq - 1, changed };
  }

  #catchUp(subscriber: Subscriber): void {
    const { behind } = subscriber;
    if (!behind) return;
    subscriber.behind = null;
    subscriber.socket.send(this.#encodeChange(behind.changed, behind.fromSeq));
  }

  /** Asks for a sign of life. @returns false when the last one never came: the connection is cut */
  #isThere(subscriber: Subscriber): boolean {
    if (!subscriber.answered) {
      subscriber.leaving = true;
      subscriber.socket.terminate();
      return false;
    }
    subscriber.answered = false;
    subscriber.socket.ping();
    return true;
  }

  #dismiss(subscriber: Subscriber, reason: FeedGoodbye['reason'], code: number, detail: string): void {
    if (subscriber.leaving) return;
    subscriber.leaving = true;
    subscriber.behind = null;
    subscriber.socket.send(encode({ type: 'goodbye', reason, detail }));
    subscriber.socket.close(code, reason);
  }

  #encodeChange(changed: Changed, fromSeq: number): Buffer {
    const { seq, hosts, replicas } = this.#picture;
    const atMs = this.#clock.nowMs();
    return encode({ type: 'change', fromSeq, seq, atMs, ...describeChange(changed, hosts, replicas) });
  }

  #encodeSnapshot(): Buffer {
    const { seq, hosts, replicas } = this.#picture;
    return encode({
      type: 'snapshot',
      seq,
      atMs: this.#clock.nowMs(),
      hosts: [...hosts.values()].map(({ host, sample }) => ({ host, sample })),
      replicas: [...replicas.values()],
    });
  }
}

/** A value that is made when it is first asked for, and once. */
class Once<Value> {
  readonly #make: () => Value;
  #made: { readonly value: Value } | null = null;

  constructor(make: () => Value) {
    this.#make = make;
  }

  get value(): Value {
    this.#made ??= { value: this.#make() };
    return this.#made.value;
  }
}

function encode(message: FeedMessage): Buffer {
  return Buffer.from(JSON.stringify(message), 'utf8');
}

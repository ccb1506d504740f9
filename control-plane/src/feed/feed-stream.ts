import { type Clock, closeCodes } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { describeChange } from './decide/describe-change.js';
import type { Changed } from './decide/feed-entry.js';
import { type FeedFilter, wantsHost } from './decide/feed-filter.js';
import { mergeChanged } from './decide/merge-changed.js';
import { LAG_LIMIT_MS, planDelivery } from './decide/plan-delivery.js';
import type { FeedGoodbye, FeedMessage } from './feed-messages.js';
import type { FeedPicture } from './feed-picture.js';
import type { FeedSocket, FeedSocketListener } from './feed-socket.js';
import { KeptChanges } from './kept-changes.js';

/** For so long after its last subscriber went a stream goes on, for one that comes again. */
const LINGER_MS = 60_000;

interface Subscriber {
  readonly socket: FeedSocket;
  hasSnapshot: boolean;
  /** What it holds already, if it came again. */
  readonly resumeSeq: number | null;
  /** What it has not been told, and since when (monotonic); `null`: it holds all. */
  behind: { readonly sinceMs: number; readonly fromSeq: number; readonly changed: Changed } | null;
  answered: boolean;
  leaving: boolean;
}

export interface FeedStreamParts {
  readonly picture: FeedPicture;
  readonly filter: FeedFilter;
  /** Unlike that of any other stream, of any process. */
  readonly id: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What all subscribers of one filter are told: a sequence of its own, so that each change names the one before it
 * though others were none of this filter's business. What those who keep up get is encoded once and the same bytes
 * go to all; one that does not keep up costs a list of what it missed, and gets that in one message when it has
 * caught up.
 */
export class FeedStream {
  readonly kept = new KeptChanges();
  readonly #parts: FeedStreamParts;
  readonly #subscribers = new Set<Subscriber>();
  #seq = 0;
  /** Monotonic. */
  #deserted: number;

  constructor(parts: FeedStreamParts) {
    this.#parts = parts;
    this.#deserted = parts.clock.monotonicMs();
  }

  /** Connections, those among them that were told to go. */
  get count(): number {
    return this.#subscribers.size;
  }

  get id(): string {
    return this.#parts.id;
  }

  /** Nobody is left who could ask for it. */
  get isOver(): boolean {
    return this.count === 0 && this.#parts.clock.monotonicMs() - this.#deserted >= LINGER_MS;
  }

  /**
   * What it is to hold follows with the next tick: it must be of exactly one `seq`.
   *
   * @param resumeSeq what it holds of this very stream
   */
  add(socket: FeedSocket, resumeSeq: number | null): FeedSocketListener {
    const flags = { hasSnapshot: false, answered: true, leaving: false };
    const subscriber: Subscriber = { socket, resumeSeq, behind: null, ...flags };
    this.#subscribers.add(subscriber);
    return {
      pong: () => {
        subscriber.answered = true;
      },
      closed: () => {
        this.#subscribers.delete(subscriber);
        this.#deserted = this.#parts.clock.monotonicMs();
      },
    };
  }

  tick(changed: Changed | null, isPingDue: boolean): void {
    const shared = changed === null ? null : this.#step(changed);
    const snapshot = new Once(() => this.#encodeSnapshot());
    for (const subscriber of this.#subscribers) {
      if (subscriber.leaving) continue;
      if (isPingDue && !isThere(subscriber)) continue;
      this.#deliver(subscriber, shared === null ? null : changed, shared, snapshot);
    }
  }

  end(reason: FeedGoodbye['reason'], code: number, detail: string): void {
    for (const subscriber of this.#subscribers) dismiss(subscriber, reason, code, detail);
  }

  /** @returns what is to be told, `null` where it is nothing to this filter */
  #step(changed: Changed): Buffer | null {
    const bytes = this.#encodeChange(changed, this.#seq, this.#seq + 1);
    if (bytes === null) return null;
    this.#seq += 1;
    this.kept.add(this.#seq, bytes);
    return bytes;
  }

  #deliver(
    subscriber: Subscriber,
    changed: Changed | null,
    shared: Buffer | null,
    snapshot: Once<Buffer>,
  ): void {
    const { socket, hasSnapshot, behind } = subscriber;
    const nowMs = this.#parts.clock.monotonicMs();
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
        this.#start(subscriber, snapshot);
        break;
      case 'shared':
        if (shared) socket.send(shared);
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
        this.#parts.log.info({ bufferedBytes }, 'a feed subscriber was too slow');
        dismiss(subscriber, 'slow_consumer', closeCodes.slow_consumer, detail);
        break;
      }
      default:
        delivery satisfies never;
    }
  }

  /** Who was cut off for a moment gets what it missed, everybody else all there is. */
  #start({ socket, resumeSeq }: Subscriber, snapshot: Once<Buffer>): void {
    const missed = resumeSeq === null ? null : this.kept.since(resumeSeq, this.#seq);
    if (missed === null) socket.send(snapshot.value);
    else for (const bytes of missed) socket.send(bytes);
  }

  #fallBehind(subscriber: Subscriber, changed: Changed, nowMs: number): void {
    const { behind } = subscriber;
    subscriber.behind = behind
      ? { ...behind, changed: mergeChanged(behind.changed, changed) }
      : { sinceMs: nowMs, fromSeq: this.#seq - 1, changed };
  }

  #catchUp(subscriber: Subscriber): void {
    const { behind } = subscriber;
    if (!behind) return;
    subscriber.behind = null;
    // Where all is as it was it is told so all the same: the next change will name this seq.
    const bytes =
      this.#encodeChange(behind.changed, behind.fromSeq, this.#seq) ?? this.#encodeEmpty(behind.fromSeq);
    subscriber.socket.send(bytes);
  }

  #encodeChange(changed: Changed, fromSeq: number, seq: number): Buffer | null {
    const { picture, filter, clock } = this.#parts;
    const body = describeChange(changed, picture.hosts, picture.replicas, filter);
    return body && encode({ type: 'change', fromSeq, seq, atMs: clock.nowMs(), ...body });
  }

  #encodeEmpty(fromSeq: number): Buffer {
    return encode({ type: 'change', fromSeq, seq: this.#seq, atMs: this.#parts.clock.nowMs() });
  }

  #encodeSnapshot(): Buffer {
    const { picture, filter, clock, id } = this.#parts;
    const { kinds } = filter;
    const hosts = [...picture.hosts.values()].filter(({ host }) => wantsHost(filter, host.name));
    const replicas = [...picture.replicas.values()].filter(({ host }) => wantsHost(filter, host));
    return encode({
      type: 'snapshot',
      stream: id,
      seq: this.#seq,
      atMs: clock.nowMs(),
      hosts: kinds.has('hosts')
        ? hosts.map(({ host, sample }) => ({ host, sample: kinds.has('samples') ? sample : null }))
        : [],
      replicas: kinds.has('replicas') ? replicas : [],
    });
  }
}

/** Asks for a sign of life. @returns false when the last one never came: the connection is cut */
function isThere(subscriber: Subscriber): boolean {
  if (!subscriber.answered) {
    subscriber.leaving = true;
    subscriber.socket.terminate();
    return false;
  }
  subscriber.answered = false;
  subscriber.socket.ping();
  return true;
}

function dismiss(subscriber: Subscriber, reason: FeedGoodbye['reason'], code: number, detail: string): void {
  if (subscriber.leaving) return;
  subscriber.leaving = true;
  subscriber.behind = null;
  subscriber.socket.send(encode({ type: 'goodbye', reason, detail }));
  subscriber.socket.close(code, reason);
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

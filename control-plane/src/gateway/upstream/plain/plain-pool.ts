import type { Clock } from '@ai-fabric/shared';
import type { Deadlines } from '../../deadlines.js';
import type { AnswerListener, CallRequest, CallTerms, UpstreamCall } from '../upstream-call.js';
import type { UpstreamPool } from '../upstream-pools.js';
import { PlainCall } from './plain-call.js';
import { type ConnectionOwner, PlainConnection, type PlainOrigin, readOrigin } from './plain-connection.js';

/** What waits for a connection. */
export interface ConnectionTaker {
  /** It is over, and wants none any more. */
  readonly isOver: boolean;
  take(connection: PlainConnection): void;
}

/** Connections to one engine without TLS; requests beyond them wait, under their own first-byte deadline. */
export class PlainPool implements UpstreamPool, ConnectionOwner {
  openCalls = 0;
  usedAtMs = 0;
  readonly #origin: PlainOrigin;
  readonly #maxConnections: number;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #connections = new Set<PlainConnection>();
  /** The one that was used last is used next: the others may end. */
  readonly #idle: PlainConnection[] = [];
  #waiting: ConnectionTaker[] = [];

  constructor(origin: string, maxConnections: number, clock: Clock, deadlines: Deadlines) {
    this.#origin = readOrigin(origin);
    this.#maxConnections = maxConnections;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  get authority(): string {
    return this.#origin.authority;
  }

  get connections(): number {
    return this.#connections.size;
  }

  call(listener: AnswerListener, request: CallRequest, terms: CallTerms): UpstreamCall {
    return new PlainCall(listener, request, terms, this);
  }

  /** Gives it a connection, now or when there is one. */
  lend(taker: ConnectionTaker): void {
    const nowMs = this.#clock.monotonicMs();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.usableUntilMs > nowMs) {
        taker.take(idle);
        return;
      }
      idle.destroy();
    }
    this.lendNew(taker);
  }

  /** As `lend`, but one that never was asked before. */
  lendNew(taker: ConnectionTaker): void {
    if (this.#connections.size >= this.#maxConnections) {
      this.#waiting.push(taker);
      return;
    }
    const connection = new PlainConnection(this.#origin, this, this.#clock, this.#deadlines);
    this.#connections.add(connection);
    taker.take(connection);
  }

  onFree(connection: PlainConnection): void {
    const next = this.#nextWaiting();
    if (next === undefined) this.#idle.push(connection);
    else next.take(connection);
  }

  onGone(connection: PlainConnection): void {
    this.#connections.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const next = this.#nextWaiting();
    if (next !== undefined) this.lendNew(next);
  }

  endUnused(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const idle of this.#idle.filter(({ usableUntilMs }) => usableUntilMs <= nowMs)) idle.destroy();
  }

  async destroy(): Promise<void> {
    this.#waiting = [];
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #nextWaiting(): ConnectionTaker | undefined {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.isOver) return next;
    }
    return undefined;
  }
}

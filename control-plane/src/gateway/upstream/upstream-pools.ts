import type { Clock, Timer } from '@ai-fabric/shared';
import type { Deadlines } from '../deadlines.js';
import { PlainPool } from './plain/plain-pool.js';
import { UndiciPool } from './undici-pool.js';
import type { AnswerListener, CallRequest, CallTerms, UpstreamCall } from './upstream-call.js';

/** Connections to one origin; calls beyond them wait in the pool, under their own first-byte deadline. */
const MAX_CONNECTIONS = 1_024;
const MAX_POOLS = 128;
const UNUSED_POOL_MS = 120_000;
const SWEEP_MS = 30_000;

/** The connections to one origin, and how many calls are on them. */
export interface UpstreamPool {
  openCalls: number;
  usedAtMs: number;
  /** A call over one of them. It is not sent yet. */
  call(listener: AnswerListener, request: CallRequest, terms: CallTerms): UpstreamCall;
  /** Ends connections that have waited for a request for too long. */
  endUnused(): void;
  /** Ends every connection, with what still runs on it. */
  destroy(): Promise<void>;
}

/** One pool of connections for each origin, made when first used, closed when unused. */
export class UpstreamPools {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #pools = new Map<string, UpstreamPool>();
  readonly #sweeper: Timer;

  /** @param deadlines those of connections that do not come about are watched there */
  constructor(clock: Clock, deadlines: Deadlines) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#sweeper = clock.every(SWEEP_MS, () => {
      this.#closeUnused(UNUSED_POOL_MS);
      for (const pool of this.#pools.values()) pool.endUnused();
    });
  }

  get size(): number {
    return this.#pools.size;
  }

  /** @param origin such as `http://192.168.1.20:8000` */
  get(origin: string): UpstreamPool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      if (this.#pools.size >= MAX_POOLS) this.#closeUnused(0);
      pool = origin.startsWith('http:')
        ? new PlainPool(origin, MAX_CONNECTIONS, this.#clock, this.#deadlines)
        : new UndiciPool(origin, MAX_CONNECTIONS);
      this.#pools.set(origin, pool);
    }
    pool.usedAtMs = this.#clock.monotonicMs();
    return pool;
  }

  /** Ends every connection, with what still runs on it. */
  async close(): Promise<void> {
    this.#sweeper.cancel();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #closeUnused(unusedMs: number): void {
    const beforeMs = this.#clock.monotonicMs() - unusedMs;
    for (const [origin, pool] of this.#pools) {
      if (pool.openCalls > 0 || pool.usedAtMs > beforeMs) continue;
      this.#pools.delete(origin);
      void pool.destroy();
    }
  }
}

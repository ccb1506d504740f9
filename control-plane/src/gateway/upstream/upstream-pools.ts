import type { Clock, Timer } from '@ai-fabric/shared';
import { Pool } from 'undici';

/** Connections to one origin; calls beyond them wait in the pool, under their own first-byte deadline. */
const MAX_CONNECTIONS = 1_024;
const MAX_POOLS = 128;
const CONNECT_TIMEOUT_MS = 5_000;
/** Below the 5 s after which uvicorn closes an idle connection. */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 60_000;
const UNUSED_POOL_MS = 120_000;
const SWEEP_MS = 30_000;

/** A pool and how many calls are in it. */
export interface UpstreamPool {
  readonly pool: Pool;
  openCalls: number;
  usedAtMs: number;
}

/** One pool of connections for each origin, made when first used, closed when unused. */
export class UpstreamPools {
  readonly #clock: Clock;
  readonly #pools = new Map<string, UpstreamPool>();
  readonly #sweeper: Timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sweeper = clock.every(SWEEP_MS, () => this.#closeUnused(UNUSED_POOL_MS));
  }

  get size(): number {
    return this.#pools.size;
  }

  /** @param origin such as `http://192.168.1.20:8000` */
  get(origin: string): UpstreamPool {
    let entry = this.#pools.get(origin);
    if (entry === undefined) {
      if (this.#pools.size >= MAX_POOLS) this.#closeUnused(0);
      entry = { pool: makePool(origin), openCalls: 0, usedAtMs: 0 };
      this.#pools.set(origin, entry);
    }
    entry.usedAtMs = this.#clock.monotonicMs();
    return entry;
  }

  /** Ends every connection, with what still runs on it. */
  async close(): Promise<void> {
    this.#sweeper.cancel();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  #closeUnused(unusedMs: number): void {
    const beforeMs = this.#clock.monotonicMs() - unusedMs;
    for (const [origin, entry] of this.#pools) {
      if (entry.openCalls > 0 || entry.usedAtMs > beforeMs) continue;
      this.#pools.delete(origin);
      void entry.pool.destroy();
    }
  }
}

function makePool(origin: string): Pool {
  return new Pool(origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    // undici's own timeouts are 300 s; every call has the gateway's deadlines instead.
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    allowH2: false,
  });
}

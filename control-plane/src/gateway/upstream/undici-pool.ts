import { Pool } from 'undici';
import { UndiciCall } from './undici-call.js';
import type { AnswerListener, CallRequest, CallTerms, UpstreamCall } from './upstream-call.js';
import type { UpstreamPool } from './upstream-pools.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Below the 5 s after which uvicorn closes an idle connection. */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 60_000;

/** Connections with TLS to one origin. */
export class UndiciPool implements UpstreamPool {
  openCalls = 0;
  usedAtMs = 0;
  readonly pool: Pool;

  constructor(origin: string, maxConnections: number) {
    this.pool = new Pool(origin, {
      connections: maxConnections,
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

  call(listener: AnswerListener, request: CallRequest, terms: CallTerms): UpstreamCall {
    return new UndiciCall(listener, request, terms, this);
  }

  /** undici ends its idle connections by itself. */
  endUnused(): void {}

  async destroy(): Promise<void> {
    await this.pool.destroy();
  }
}

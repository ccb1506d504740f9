import type { Clock, Timer } from '@ai-fabric/shared';
import type { FromReaderWorker } from './reader-protocol.js';
import type { QueryName, QueryParams, QueryResult } from './reader-queries.js';
import type { ReaderThread, StartReaderThread } from './reader-thread.js';
import { RegistryError } from './registry-error.js';

const DEADLINE_MS = 10_000;
const MAX_WAITING = 32;
const IDLE_MS = 60_000;
const CLOSE_DEADLINE_MS = 1_000;

export interface RegistryReaderParts {
  readonly registryFile: string;
  readonly startThread: StartReaderThread;
  readonly clock: Clock;
}

interface Asked {
  readonly queryId: number;
  readonly name: QueryName;
  readonly params: unknown;
  readonly deadline: Timer;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RegistryError) => void;
}

/**
 * Long reads of the registry, off the main thread. The thread is started by the first query, answers one at a
 * time, ends itself after an idle minute, and is ended and replaced when a query is not answered in time.
 */
export class RegistryReader {
  readonly #parts: RegistryReaderParts;
  /** The first is with the thread. */
  #asked: Asked[] = [];
  #thread: ReaderThread | null = null;
  /** Told to end, and not yet gone: no second thread beside it. */
  #ending = false;
  #idle: Timer | null = null;
  #running: Asked | null = null;
  #queryCount = 0;
  #closed = false;
  #onEnded: () => void = () => {};

  constructor(parts: RegistryReaderParts) {
    this.#parts = parts;
  }

  /**
   * Rejects with a `RegistryError`: `query_unanswered` when too much waits or the deadline passes (counted from
   * here, waiting included), else what SQLite said.
   */
  query<Name extends QueryName>(name: Name, params: QueryParams<Name>): Promise<QueryResult<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#unanswered('the control plane stops'));
      if (this.#asked.length >= MAX_WAITING) return reject(this.#unanswered('too many queries wait'));
      this.#queryCount += 1;
      const asked: Asked = {
        queryId: this.#queryCount,
        name,
        params,
        deadline: this.#parts.clock.after(DEADLINE_MS, () => this.#onDeadline(asked)),
        resolve: (result) => resolve(result as QueryResult<Name>),
        reject,
      };
      this.#asked.push(asked);
      this.#sendNext();
    });
  }

  /** What waits is refused; resolves when the thread has ended, or at a deadline. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const asked of this.#asked.splice(0)) {
      asked.deadline.cancel();
      asked.reject(this.#unanswered('the control plane stops'));
    }
    this.#running = null;
    this.#stopIdle();
    if (!this.#thread) return;
    const thread = this.#thread;
    await new Promise<void>((resolve) => {
      const deadline = this.#parts.clock.after(CLOSE_DEADLINE_MS, resolve);
      this.#onEnded = () => {
        deadline.cancel();
        resolve();
      };
      this.#ending = true;
      thread.terminate();
    });
  }

  #sendNext(): void {
    const next = this.#asked[0];
    if (!next || this.#running || this.#ending) return;
    this.#stopIdle();
    try {
      this.#thread ??= this.#start();
      this.#thread.post({ kind: 'query', queryId: next.queryId, name: next.name, params: next.params });
      this.#running = next;
    } catch (error) {
      this.#settle(next).reject(this.#unanswered(`the reading thread cannot be used: ${String(error)}`));
      this.#sendNext();
    }
  }

  #start(): ReaderThread {
    return this.#parts.startThread({
      onMessage: (message) => this.#onMessage(message),
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  #onMessage(message: FromReaderWorker): void {
    const running = this.#running;
    if (message.queryId !== running?.queryId) return;
    this.#settle(running);
    if (message.kind === 'answered') running.resolve(message.result);
    else {
      const { code, detail, fix } = message;
      running.reject(new RegistryError(code, this.#parts.registryFile, detail, fix));
    }
    this.#sendNext();
    if (!this.#running) this.#idle = this.#parts.clock.after(IDLE_MS, () => this.#endIdle());
  }

  /** Only the query that runs costs the thread; one that waits costs itself. */
  #onDeadline(asked: Asked): void {
    const ran = asked === this.#running;
    this.#settle(asked).reject(this.#unanswered(ran ? 'it took too long' : 'others before it took too long'));
    if (!ran && !this.#ending) return;
    this.#ending = true;
    this.#thread?.terminate();
  }

  #endIdle(): void {
    this.#idle = null;
    this.#ending = true;
    this.#thread?.post({ kind: 'close' });
  }

  #onEnd(reason: string): void {
    this.#thread = null;
    this.#ending = false;
    this.#stopIdle();
    const running = this.#running;
    if (running) this.#settle(running).reject(this.#unanswered(`the reading thread ended: ${reason}`));
    this.#onEnded();
    this.#sendNext();
  }

  #settle(asked: Asked): Asked {
    asked.deadline.cancel();
    this.#asked = this.#asked.filter((each) => each !== asked);
    if (this.#running === asked) this.#running = null;
    return asked;
  }

  #stopIdle(): void {
    this.#idle?.cancel();
    this.#idle = null;
  }

  #unanswered(why: string): RegistryError {
    return new RegistryError(
      'query_unanswered',
      this.#parts.registryFile,
      `was not read: ${why}`,
      'ask again; if it goes on, ask for a shorter time and look at the disk',
    );
  }
}

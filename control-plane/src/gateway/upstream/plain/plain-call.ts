import { classifyError } from '../classify-error.js';
import {
  type AnswerHeaders,
  type AnswerListener,
  type CallRequest,
  type CallTerms,
  UpstreamCall,
} from '../upstream-call.js';
import type { Asker, PlainConnection } from './plain-connection.js';
import type { ConnectionTaker, PlainPool } from './plain-pool.js';
import { writeRequestHead } from './write-request-head.js';

/** One call over a connection without TLS. */
export class PlainCall extends UpstreamCall implements Asker, ConnectionTaker {
  readonly #request: CallRequest;
  readonly #pool: PlainPool;
  #connection: PlainConnection | null = null;
  #redialled = false;

  constructor(listener: AnswerListener, request: CallRequest, terms: CallTerms, pool: PlainPool) {
    super(listener, terms);
    this.#request = request;
    this.#pool = pool;
    pool.openCalls++;
  }

  send(): void {
    this.#pool.lend(this);
  }

  take(connection: PlainConnection): void {
    this.#connection = connection;
    const { path, headers, body } = this.#request;
    let head: string;
    try {
      head = writeRequestHead(this.#pool.authority, path, headers, body.length);
    } catch (error) {
      connection.destroy();
      this.fail(classifyError(error, false));
      return;
    }
    connection.ask(this, head, body);
  }

  answerHead(status: number, headers: AnswerHeaders): void {
    this.headCame(status, headers);
  }

  answerData(chunk: Buffer): void {
    this.dataCame(chunk);
  }

  answerEnd(): void {
    this.#connection = null;
    this.endCame();
  }

  answerFailed(error: Error, isStale: boolean): void {
    this.#connection = null;
    if (this.isOver) return;
    if (isStale && !this.#redialled) {
      this.#redialled = true;
      this.#pool.lendNew(this);
      return;
    }
    this.fail(classifyError(error, !this.isAsked));
  }

  protected cutOff(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  protected stopReading(): void {
    this.#connection?.pause();
  }

  protected startReading(): void {
    this.#connection?.resume();
  }

  protected override onOver(): void {
    this.#pool.openCalls--;
  }
}

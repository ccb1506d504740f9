import type { AnswerSink, SinkHost } from './answer-sink.js';
import { type AttemptFailureCode, attemptFailure } from './decide/attempt-failure.js';
import { readRetryAfter } from './decide/judge-answer.js';
import { judgeUnknown } from './decide/judge-unknown.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import { normaliseEngineError } from './decide/normalise-engine-error.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

/** What an error answer is: the client's fault, or a target's that is told by a code. */
export type ErrorKind = 'clientError' | AttemptFailureCode;

/**
 * Reads an answer that is no success, a little of it and not for long. The client's own fault is passed on in
 * OpenAI's form; what is the engine's or ours goes to the operator's log, and the request elsewhere.
 */
export class ErrorAnswer implements AnswerSink {
  readonly #host: SinkHost;
  readonly #status: number;
  readonly #kind: ErrorKind;
  readonly #endpoint: EngineEndpoint;
  readonly #nowMs: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(host: SinkHost, status: number, kind: ErrorKind, endpoint: EngineEndpoint, nowMs: number) {
    this.#host = host;
    this.#status = status;
    this.#kind = kind;
    this.#endpoint = endpoint;
    this.#nowMs = nowMs;
    host.endWithin(GATEWAY_LIMITS.errorAnswerMs);
  }

  get isWhole(): boolean {
    return false;
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < GATEWAY_LIMITS.errorAnswerBytes) return;
    this.#host.abort();
    this.end();
  }

  end(): void {
    const text = Buffer.concat(this.#chunks).toString('utf8', 0, GATEWAY_LIMITS.errorAnswerBytes);
    this.#host.refusalRead(text);
    const kind = judgeUnknown(this.#status, text, this.#kind, this.#endpoint);
    if (kind === 'clientError') {
      this.#host.refuse(normaliseEngineError(this.#status, text, this.#endpoint.promptParam));
      return;
    }
    const wait = this.#host.headers['retry-after'];
    const retryAfterSeconds = typeof wait === 'string' ? readRetryAfter(wait, this.#nowMs) : null;
    this.#host.giveUp(attemptFailure(kind, `${this.#status} ${this.#place()}${text}`, retryAfterSeconds));
  }

  /** What could be read has to do. */
  failed(): void {
    this.end();
  }

  breakOff(): void {
    this.#host.response.destroy();
  }

  #place(): string {
    const location = this.#host.headers['location'];
    const type = this.#host.headers['content-type'];
    if (typeof location === 'string') return `to ${location} `;
    return typeof type === 'string' ? `(${type}) ` : '';
  }
}

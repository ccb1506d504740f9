import type { Clock, Timer } from '@ai-fabric/shared';
import { writeHttpHead } from './decide/write-http-head.js';
import { type EngineAnswer, EngineConnection } from './engine-connection.js';

export interface EngineRequest {
  readonly method: 'GET' | 'POST';
  /** Not changed afterwards, nor are the headers. */
  readonly url: URL;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, instead of `json`. */
  readonly raw?: { readonly contentType: string; readonly body: Buffer };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** For the whole answer, body included. */
  readonly deadlineMs: number;
  /** A longer body is an error, and its connection is dropped. */
  readonly maxBytes: number;
}

/** Why there is no answer, in words that finish "the engine …", and as a code: `timeout`, `too_long`, ECONNREFUSED, … */
class EngineHttpError extends Error {
  override readonly name = 'EngineHttpError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface EngineHttp {
  /** @throws EngineHttpError */
  request(request: EngineRequest): Promise<EngineAnswer>;
  close(): void;
}

/**
 * Asks an engine over one connection that is kept. A redirect is an answer like any other: it is not followed. On bare
 * sockets: an engine is asked each second for as long as the agent runs, and of each question Node's own client takes
 * three times the CPU time. undici would take 20 MB of the agent's 80 (decision 0007).
 */
export function engineHttp(clock: Clock): EngineHttp {
  return new KeptConnection(clock);
}

class KeptConnection implements EngineHttp {
  readonly #clock: Clock;
  readonly #asking = new Set<EngineConnection>();
  /** The last question without a body, and its head: an idle engine is asked the same one again and again. */
  #last: { readonly url: URL; readonly headers: EngineRequest['headers']; readonly head: string } | null =
    null;
  #kept: EngineConnection | null = null;
  /** Listened to between questions too: an idle engine is asked with the same one again and again. */
  #signal: AbortSignal | null = null;
  /** What it ends. */
  readonly #watched = new Set<Limits>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async request(request: EngineRequest): Promise<EngineAnswer> {
    const limits = new Limits(request, this.#clock);
    this.#watch(limits);
    try {
      const kept = this.#takeKept(request.url);
      if (kept !== null) {
        try {
          return await this.#ask(kept, request, limits);
        } catch (error) {
          // The other side ended what was idle while we asked: known by an end without a word, and asked once more.
          if (kept.hasHeard || request.method !== 'GET' || limits.isOver) throw error;
        }
      }
      return await this.#ask(new EngineConnection(request.url), request, limits);
    } catch (error) {
      throw explain(error);
    } finally {
      this.#watched.delete(limits);
      limits.lift();
    }
  }

  close(): void {
    this.#listenTo(null);
    const closed = new EngineHttpError('aborted', 'was no longer asked');
    for (const connection of this.#asking) connection.fail(closed);
    this.#kept?.fail(closed);
    this.#kept = null;
  }

  #watch(limits: Limits): void {
    const { signal } = limits;
    if (signal !== this.#signal) {
      // Questions at the same time may have different signals: then each of the others has a listener of its own.
      if (this.#watched.size > 0) {
        limits.listen();
        return;
      }
      this.#listenTo(signal);
    }
    this.#watched.add(limits);
    if (signal.aborted) limits.abort();
  }

  #listenTo(signal: AbortSignal | null): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    for (const limits of this.#watched) limits.abort();
  };

  async #ask(connection: EngineConnection, request: EngineRequest, limits: Limits): Promise<EngineAnswer> {
    const { json, raw, maxBytes } = request;
    const body = raw?.body ?? (json === undefined ? null : JSON.stringify(json));
    this.#asking.add(connection);
    try {
      limits.holdFor(connection);
      return await connection.ask(this.#headOf(request, body), body, maxBytes);
    } finally {
      this.#asking.delete(connection);
      this.#keep(connection);
    }
  }

  #headOf(request: EngineRequest, body: Buffer | string | null): string {
    const { method, url, headers } = request;
    if (method !== 'GET' || body !== null) return writeHttpHead(request, body);
    if (this.#last === null || this.#last.url !== url || this.#last.headers !== headers) {
      this.#last = { url, headers, head: writeHttpHead(request, body) };
    }
    return this.#last.head;
  }

  #takeKept(url: URL): EngineConnection | null {
    const kept = this.#kept;
    if (kept === null || kept.isOver || !kept.leadsTo(url)) return null;
    this.#kept = null;
    return kept;
  }

  #keep(connection: EngineConnection): void {
    if (connection.isOver) return;
    this.#kept?.fail(null);
    this.#kept = connection;
  }
}

/** Ends a request at its deadline, or when it is not wanted any more, on whatever connection it is then. */
class Limits {
  readonly signal: AbortSignal;
  readonly #timer: Timer;
  #connection: EngineConnection | null = null;
  #error: EngineHttpError | null = null;
  #isListening = false;

  constructor({ signal, deadlineMs }: EngineRequest, clock: Clock) {
    this.signal = signal;
    this.#timer = clock.after(deadlineMs, () =>
      this.#end(new EngineHttpError('timeout', `gave no whole answer within ${deadlineMs / 1000} s`)),
    );
  }

  /** By itself: nobody else tells it that it is not wanted any more. */
  listen(): void {
    this.#isListening = true;
    this.signal.addEventListener('abort', this.abort, { once: true });
    if (this.signal.aborted) this.abort();
  }

  get isOver(): boolean {
    return this.#error !== null;
  }

  /** @throws EngineHttpError where they are over */
  holdFor(connection: EngineConnection): void {
    this.#connection = connection;
    if (this.#error === null) return;
    connection.fail(this.#error);
    throw this.#error;
  }

  lift(): void {
    this.#timer.cancel();
    if (this.#isListening) this.signal.removeEventListener('abort', this.abort);
  }

  #end(error: EngineHttpError): void {
    this.#error ??= error;
    this.#connection?.fail(this.#error);
  }

  readonly abort = (): void => this.#end(new EngineHttpError('aborted', 'was no longer asked'));
}

function explain(error: unknown): EngineHttpError {
  if (error instanceof EngineHttpError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ECONNREFUSED') {
    return new EngineHttpError(code, 'refuses connections: it is starting, or not running');
  }
  if (code === 'too_long' || code === 'no_http') return new EngineHttpError(code, String(message));
  const text = String(code ?? message ?? error);
  return new EngineHttpError(text, `cannot be reached or breaks off: ${text}`);
}

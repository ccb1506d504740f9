import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Clock, Timer } from '@ai-fabric/shared';
import { ContainerEngineError } from './container-engine-error.js';

export interface SocketRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** For the whole answer of `ask`, for the head of `open`. */
  readonly deadlineMs: number;
}

export interface SocketAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface SocketStream {
  readonly status: number;
  /** May be read once, by one reader. Whoever stops reading ends the connection. @throws ContainerEngineError */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Of a body; without them it may come for ever. */
export interface StreamLimits {
  /** How long it may be silent. */
  readonly idleMs?: number;
  /** How long it may take in all. */
  readonly totalMs?: number;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * HTTP over a Unix socket or a named pipe, a connection for each request: an engine that was restarted leaves no dead
 * one behind. Node's own client, for the reason of decision 0007.
 */
export class EngineSocket {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #calls = new Set<ClientRequest>();
  #closed = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** @throws ContainerEngineError unreachable, timeout, aborted, or engine_failed for an endless answer */
  async ask(request: SocketRequest): Promise<SocketAnswer> {
    const started = this.#start(request);
    try {
      const response = await started.head;
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of response as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) break;
        parts.push(part);
      }
      if (bytes > MAX_ANSWER_BYTES) {
        throw new ContainerEngineError(
          'engine_failed',
          `The engine answers with more than ${MAX_ANSWER_BYTES} bytes.`,
        );
      }
      const { statusCode = 0, headers } = response;
      return { status: statusCode, headers, text: Buffer.concat(parts).toString('utf8') };
    } catch (error) {
      throw started.explain(error);
    } finally {
      started.end();
    }
  }

  /** The answer's head, and its body while it comes. @throws ContainerEngineError as `ask` */
  async open(request: SocketRequest, limits: StreamLimits = {}): Promise<SocketStream> {
    const started = this.#start(request);
    try {
      const response = await started.head;
      return { status: response.statusCode ?? 0, chunks: readChunks(response, started, limits) };
    } catch (error) {
      started.end();
      throw started.explain(error);
    }
  }

  /** Ends what is under way; what is asked from then on is `aborted`. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.destroy();
  }

  #start({ method, path, json, headers, signal, deadlineMs }: SocketRequest): StartedCall {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const call = http.request({
      socketPath: this.#path,
      method,
      path,
      agent: false,
      headers: {
        // Podman and Docker want one; what it names is of no meaning.
        host: 'localhost',
        ...(body === undefined
          ? { 'content-length': '0' }
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
    });
    this.#calls.add(call);
    // Node would have a pipe flushed before it is closed, by a thread of its own that the end of the call overtakes: Windows
    // has nothing more to send by then, and the server of Wine 8 dies of it (it still knows the closed pipe).
    call.once('response', (response) => response.prependOnceListener('end', () => call.destroy()));
    const started = new StartedCall(call, {
      ...{ clock: this.#clock, place: this.#path, signal, deadlineMs },
      isClosed: () => this.#closed,
    });
    call.once('close', () => this.#calls.delete(call));
    if (signal.aborted || this.#closed) call.destroy();
    else call.end(body);
    return started;
  }
}

interface CallTerms {
  readonly clock: Clock;
  readonly place: string;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly isClosed: () => boolean;
}

/** One request under way, and why it was ended if it was. */
class StartedCall {
  readonly head: Promise<IncomingMessage>;
  readonly #call: ClientRequest;
  readonly #terms: CallTerms;
  #timer: Timer;
  #totalTimer: Timer | null = null;
  #late = false;

  constructor(call: ClientRequest, terms: CallTerms) {
    this.#call = call;
    this.#terms = terms;
    this.#timer = this.#endAfter(terms.deadlineMs);
    terms.signal.addEventListener('abort', this.#abort, { once: true });
    this.head = new Promise((resolve, reject) => {
      call.once('response', resolve);
      // Stays for good: a destroyed call reports its end as an error, which nobody waits for any more.
      call.on('error', reject);
      call.once('close', () => reject(new Error('the connection was closed')));
    });
  }

  /** From now on it must come within `idleMs`; `undefined` takes the deadline away. */
  expect(idleMs: number | undefined): void {
    this.#timer.cancel();
    if (idleMs !== undefined) this.#timer = this.#endAfter(idleMs);
  }

  /** Whatever comes, it ends then. */
  endWithin(totalMs: number): void {
    this.#totalTimer = this.#endAfter(totalMs);
  }

  end(): void {
    this.#timer.cancel();
    this.#totalTimer?.cancel();
    this.#terms.signal.removeEventListener('abort', this.#abort);
    this.#call.destroy();
  }

  explain(error: unknown): ContainerEngineError {
    if (error instanceof ContainerEngineError) return error;
    const { signal, place, isClosed } = this.#terms;
    if (signal.aborted || isClosed()) return new ContainerEngineError('aborted', 'The call was given up.');
    if (this.#late) {
      return new ContainerEngineError('timeout', `The container engine at ${place} does not answer in time.`);
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const failure = new ContainerEngineError(
      'unreachable',
      `The container engine at ${place} cannot be reached: ${code ?? message}.`,
    );
    failure.cause = error;
    return failure;
  }

  #endAfter(delayMs: number): Timer {
    return this.#terms.clock.after(delayMs, () => {
      this.#late = true;
      this.#call.destroy();
    });
  }

  readonly #abort = (): void => {
    this.#call.destroy();
  };
}

async function* readChunks(
  response: IncomingMessage,
  started: StartedCall,
  { idleMs, totalMs }: StreamLimits,
): AsyncGenerator<Uint8Array> {
  started.expect(idleMs);
  if (totalMs !== undefined) started.endWithin(totalMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      // A reader that takes its time is not an engine that is silent.
      started.expect(undefined);
      yield chunk;
      started.expect(idleMs);
    }
  } catch (error) {
    throw started.explain(error);
  } finally {
    started.end();
  }
}

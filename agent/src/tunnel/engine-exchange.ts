import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { TunnelErrorCode } from '@ai-fabric/shared';
import type { EngineAddress } from '../replica/engine-address.js';
import { fromEngineHeaders, toEngineHeaders } from './decide/map-headers.js';
import type { EngineConnections } from './engine-connections.js';
import { breakStream, endStream, refuseStream } from './refuse-stream.js';

export interface EngineQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Passes one request of the tunnel to an engine, and the answer back. Neither side is read faster than the other
 * takes it. Where one side ends early the other is told at once: a stream that is cancelled ends the engine's request,
 * an engine that breaks off resets the stream.
 */
export function forwardToEngine(
  stream: ServerHttp2Stream,
  question: EngineQuestion,
  engine: EngineAddress,
  connections: EngineConnections,
): void {
  const hasBody = !stream.endAfterHeaders;
  const headers = toEngineHeaders(question.headers, engine.key, hasBody);
  if (headers === null) {
    refuseStream(stream, 'bad_request', 'a header of this request cannot be passed on');
    return;
  }
  const { host, port } = engine;
  const { method, path } = question;
  const call = request({ host, port, method, path, headers, agent: connections.agent });
  new EngineExchange(stream, call, connections).start(hasBody, lengthOf(headers));
}

function lengthOf(headers: Record<string, string>): number | null {
  const text = headers['content-length'];
  return text === undefined ? null : Number(text);
}

/** An idle connection's end crosses a question within this; later the engine had it, and may have broken on it. */
const CROSSED_MS = 250;

class EngineExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #call: ClientRequest;
  readonly #connections: EngineConnections;
  readonly #askedAtMs = performance.now();
  #answered = false;
  #over = false;

  constructor(stream: ServerHttp2Stream, call: ClientRequest, connections: EngineConnections) {
    this.#stream = stream;
    this.#call = call;
    this.#connections = connections;
  }

  start(hasBody: boolean, length: number | null): void {
    this.#call.on('response', (answer) => this.#onAnswer(answer));
    this.#call.on('error', (error: NodeJS.ErrnoException) => this.#onCallFailed(error));
    this.#stream.on('close', () => this.#onStreamClosed());
    if (hasBody) this.#passBody(length);
    else this.#call.end();
  }

  #passBody(length: number | null): void {
    const stream = this.#stream;
    const call = this.#call;
    let left = length ?? Number.POSITIVE_INFINITY;
    stream.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      left -= chunk.length;
      // The last one goes out together with the end.
      if (left <= 0) call.end(chunk);
      else if (!call.write(chunk)) stream.pause();
    });
    call.on('drain', () => stream.resume());
    stream.on('end', () => {
      if (!call.writableEnded) call.end();
    });
  }

  #onAnswer(answer: IncomingMessage): void {
    const stream = this.#stream;
    const status = answer.statusCode ?? 0;
    // The agent's timeout is for connections that idle; an answer may take its time.
    answer.socket.setTimeout(0);
    if (this.#over || stream.destroyed) {
      answer.destroy();
      return;
    }
    try {
      stream.respond({ ...fromEngineHeaders(answer.headers), ':status': status });
    } catch {
      this.#refuse('engine_failed', 'the head of its answer is no HTTP');
      return;
    }
    this.#answered = true;
    let left = Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    answer.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      // The last one goes out together with the end.
      if (left === 0) this.#finish(chunk);
      else if (!stream.write(chunk)) answer.pause();
    });
    stream.on('drain', () => answer.resume());
    answer.on('end', () => {
      if (!this.#over) this.#finish(null);
    });
    answer.on('error', () => this.#breakOff());
    answer.on('close', () => this.#breakOff());
  }

  #finish(last: Buffer | null): void {
    this.#over = true;
    endStream(this.#stream, last);
  }

  #onCallFailed(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    if (this.#answered) {
      this.#breakOff();
      return;
    }
    const hasCrossed = performance.now() - this.#askedAtMs <= CROSSED_MS;
    const code = codeOf(error, this.#call.reusedSocket && hasCrossed);
    if (code === 'engine_stale') this.#connections.dropIdle();
    this.#refuse(code, error.code ?? error.message);
  }

  #onStreamClosed(): void {
    if (this.#over && this.#answered) return;
    this.#over = true;
    this.#call.destroy();
  }

  /** Before anything of an answer was passed on. */
  #refuse(code: TunnelErrorCode, detail: string): void {
    this.#over = true;
    refuseStream(this.#stream, code, detail);
    this.#call.destroy();
  }

  /** The answer ends before its end. */
  #breakOff(): void {
    if (this.#over) return;
    this.#over = true;
    breakStream(this.#stream, 'the engine broke off');
    this.#call.destroy();
  }
}

/** @param reused a kept connection whose end came with the question */
function codeOf(error: NodeJS.ErrnoException, reused: boolean): TunnelErrorCode {
  if (error.code === 'ECONNREFUSED') return 'engine_refused';
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return reused ? 'engine_stale' : 'engine_reset';
  return 'engine_failed';
}

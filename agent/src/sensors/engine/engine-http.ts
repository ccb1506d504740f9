import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '@ai-fabric/shared';

export interface EngineRequest {
  readonly method: 'GET' | 'POST';
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

interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
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
 * Asks an engine over one connection that is kept. A redirect is an answer like any other: it is not followed. Node's
 * own client, not undici: that one takes 20 MB of the agent's 80.
 */
export function engineHttp(clock: Clock): EngineHttp {
  const options = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  const open = ({ url, method, json, raw, headers: more }: EngineRequest): ClientRequest => {
    const contentType = raw?.contentType ?? (json === undefined ? null : 'application/json');
    const content = contentType === null ? {} : { 'content-type': contentType };
    const headers = { accept: '*/*', ...content, ...more };
    return url.protocol === 'https:'
      ? https.request(url, { method, headers, agent: agents['https:'] })
      : http.request(url, { method, headers, agent: agents['http:'] });
  };
  return {
    request: (request) => ask(open(request), request, clock),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function ask(call: ClientRequest, request: EngineRequest, clock: Clock): Promise<EngineAnswer> {
  const { signal, deadlineMs, json, raw } = request;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      stop();
      reject(error);
      call.destroy();
    };
    const onAbort = (): void => fail(new EngineHttpError('aborted', 'was no longer asked'));
    const timer = clock.after(deadlineMs, () =>
      fail(new EngineHttpError('timeout', `gave no whole answer within ${deadlineMs / 1000} s`)),
    );
    const stop = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays for good: a destroyed call reports its end as an error, which nobody waits for any more.
    call.on('error', (error) => fail(explain(error)));
    call.on('response', (response) => {
      readBody(response, request.maxBytes).then((body) => {
        stop();
        resolve({ status: response.statusCode ?? 0, body });
      }, fail);
    });
    if (signal.aborted) onAbort();
    else call.end(raw?.body ?? (json === undefined ? undefined : JSON.stringify(json)));
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) break;
      pieces.push(piece);
    }
  } catch (error) {
    throw explain(error);
  }
  if (bytes > maxBytes) throw new EngineHttpError('too_long', `answers with more than ${maxBytes} bytes`);
  return Buffer.concat(pieces, bytes);
}

function explain(error: unknown): EngineHttpError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ECONNREFUSED') {
    return new EngineHttpError(code, 'refuses connections: it is starting, or not running');
  }
  const text = String(code ?? message ?? error);
  return new EngineHttpError(text, `cannot be reached or breaks off: ${text}`);
}

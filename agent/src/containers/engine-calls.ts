import type { ContainerEngineInfo } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { type EngineDoing, mapEngineError, readComplaint } from './decide/map-engine-error.js';
import { parseJson } from './decide/parse-json.js';
import type { EngineSession } from './engine-session.js';
import type { SocketAnswer, SocketRequest, SocketStream, StreamLimits } from './engine-socket.js';

export interface EngineCall {
  readonly doing: EngineDoing;
  readonly method: SocketRequest['method'];
  /** Below the API's version; `whole` paths have their own. */
  readonly path: string;
  readonly whole?: boolean;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses beside 2xx that are an answer and no failure. */
  readonly fine?: readonly number[];
  readonly deadlineMs: number;
}

/** For what an engine answers from memory; on Docker Desktop even that takes its time. */
export const LOOK_DEADLINE_MS = 20_000;

/** Calls of the engine that was found, with its complaints turned into errors of ours. */
export class EngineCalls {
  readonly #session: EngineSession;

  constructor(session: EngineSession) {
    this.#session = session;
  }

  async info(signal: AbortSignal): Promise<ContainerEngineInfo> {
    return (await this.#session.connect(signal)).info;
  }

  /** @throws ContainerEngineError */
  async ask(call: EngineCall, signal: AbortSignal): Promise<SocketAnswer> {
    return this.#with(signal, async ({ info, socket }) => {
      const answer = await socket.ask(request(call, info, signal));
      if (!isFine(answer.status, call)) throw refusal(call, answer.status, answer.text);
      return answer;
    });
  }

  /** The answer as JSON; `null` where it is none. @throws ContainerEngineError */
  async askJson(call: EngineCall, signal: AbortSignal): Promise<unknown> {
    return parseJson((await this.ask(call, signal)).text);
  }

  /** @throws ContainerEngineError */
  async open(call: EngineCall, signal: AbortSignal, limits?: StreamLimits): Promise<SocketStream> {
    return this.#with(signal, async ({ info, socket }) => {
      const stream = await socket.open(request(call, info, signal), limits);
      if (isFine(stream.status, call)) return stream;
      throw refusal(call, stream.status, await readAll(stream));
    });
  }

  async #with<Answer>(
    signal: AbortSignal,
    use: (connection: Awaited<ReturnType<EngineSession['connect']>>) => Promise<Answer>,
  ): Promise<Answer> {
    const connection = await this.#session.connect(signal);
    try {
      return await use(connection);
    } catch (error) {
      if (error instanceof ContainerEngineError && error.code === 'unreachable')
        this.#session.lose(connection);
      throw error;
    }
  }
}

function request(call: EngineCall, info: ContainerEngineInfo, signal: AbortSignal): SocketRequest {
  const { method, path, whole, json, headers, deadlineMs } = call;
  return {
    method,
    path: whole ? path : `/v${info.apiVersion}${path}`,
    ...(json === undefined ? {} : { json }),
    ...(headers === undefined ? {} : { headers }),
    signal,
    deadlineMs,
  };
}

function isFine(status: number, { fine }: EngineCall): boolean {
  return (status >= 200 && status < 300) || (fine?.includes(status) ?? false);
}

function refusal({ doing, headers }: EngineCall, status: number, body: string): ContainerEngineError {
  const authenticated = headers?.['x-registry-auth'] !== undefined;
  const { code, detail } = mapEngineError({ doing, status, message: readComplaint(body), authenticated });
  return new ContainerEngineError(code, detail, status);
}

const MAX_COMPLAINT_BYTES = 64 * 1024;

async function readAll({ chunks }: SocketStream): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_COMPLAINT_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** An id or name as a part of a path. */
export function segment(idOrName: string): string {
  return encodeURIComponent(idOrName);
}

import { existsSync } from 'node:fs';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { ContainerEngineInfo, ContainerEngineProbe } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { type EndpointTrial, judgeEndpoints, NOBODY_SIGNED_IN } from './decide/judge-endpoints.js';
import { parseJson } from './decide/parse-json.js';
import { readEngineInfo } from './decide/read-engine-info.js';
import { userRuntimeDirectory } from './decide/user-runtime-directory.js';
import { EngineSocket } from './engine-socket.js';

export interface SessionOptions {
  /** Paths of sockets or pipes, in the order in which they are tried. */
  readonly endpoints: readonly string[];
  readonly platform: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An engine that answered, and how to speak to it. */
export interface EngineConnection {
  readonly info: ContainerEngineInfo;
  readonly socket: EngineSocket;
}

const PING_DEADLINE_MS = 5_000;
/** Podman asks the package manager for the versions of its parts, Docker Desktop gathers its own while it starts. */
const VERSION_DEADLINE_MS = 30_000;

/** Finds the engine and remembers where it was, until it is lost. */
export class EngineSession {
  readonly #options: SessionOptions;
  readonly #sockets: readonly { readonly endpoint: string; readonly socket: EngineSocket }[];
  /** What each endpoint's engine said of itself, and the ping by which it is known again. */
  readonly #known = new Map<string, { readonly ping: string; readonly probe: ContainerEngineProbe }>();
  #connection: EngineConnection | null = null;
  #said = '';

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#sockets = options.endpoints.map((endpoint) => ({
      endpoint,
      socket: new EngineSocket(endpoint, options.clock),
    }));
  }

  /** Asks every endpoint in turn; the first that is an engine of ours holds. @throws ContainerEngineError aborted */
  async probe(signal: AbortSignal): Promise<ContainerEngineProbe> {
    const trials: EndpointTrial[] = [];
    let tooOld: ContainerEngineProbe | null = null;
    for (const { endpoint, socket } of this.#sockets) {
      try {
        const found = await this.#ask(endpoint, socket, signal);
        if (found?.reachable === true) return this.#found({ info: found.info, socket }, found);
        if (found === null) trials.push({ endpoint, code: 'no engine answers there' });
        else tooOld ??= found;
      } catch (error) {
        const code = systemCode(error);
        trials.push({ endpoint, code: code === 'ENOENT' ? describeAbsence(endpoint) : code });
      }
    }
    this.#connection = null;
    const failure = tooOld ?? judgeEndpoints(trials, this.#options.platform);
    if (!failure.reachable) this.#say(`${failure.code}: ${failure.detail}`, 'warn');
    return failure;
  }

  /** The engine as it was last seen, else as it is found now. @throws ContainerEngineError unreachable, aborted */
  async connect(signal: AbortSignal): Promise<EngineConnection> {
    if (this.#connection === null) {
      const found = await this.probe(signal);
      if (!found.reachable) throw new ContainerEngineError('unreachable', found.detail);
    }
    if (this.#connection === null)
      throw new ContainerEngineError('unreachable', 'The container engine was lost.');
    return this.#connection;
  }

  /** It broke off: the next call looks for it anew. */
  lose(connection: EngineConnection): void {
    if (this.#connection === connection) this.#connection = null;
  }

  close(): void {
    for (const { socket } of this.#sockets) socket.close();
  }

  async #ask(
    endpoint: string,
    socket: EngineSocket,
    signal: AbortSignal,
  ): Promise<ContainerEngineProbe | null> {
    const { status, headers } = await socket.ask({
      ...{ method: 'GET', path: '/_ping', signal, deadlineMs: PING_DEADLINE_MS },
    });
    if (status !== 200) return null;
    const ping = `${headers['server']} ${headers['api-version']} ${headers['libpod-api-version']}`;
    const known = this.#known.get(endpoint);
    // Whatever is upgraded says so in its ping; all else about it costs Podman seconds.
    if (known?.ping === ping) return known.probe;
    const probe = await askEngine(endpoint, socket, signal);
    if (probe) this.#known.set(endpoint, { ping, probe });
    return probe;
  }

  #found(connection: EngineConnection, probe: ContainerEngineProbe): ContainerEngineProbe {
    this.#connection = connection;
    const { flavour, version, endpoint } = connection.info;
    this.#say(`${flavour} ${version} at ${endpoint}`, 'info');
    return probe;
  }

  /** Once, until it changes: this is asked again and again. */
  #say(what: string, level: 'info' | 'warn'): void {
    if (this.#said === what) return;
    this.#said = what;
    this.#options.log[level]({ engine: what }, 'containers: looked for the container engine');
  }
}

async function askEngine(
  endpoint: string,
  socket: EngineSocket,
  signal: AbortSignal,
): Promise<ContainerEngineProbe | null> {
  const enough = new AbortController();
  const ask = {
    ...({ method: 'GET', deadlineMs: VERSION_DEADLINE_MS } as const),
    signal: AbortSignal.any([signal, enough.signal]),
  };
  // Podman takes a second or two for each.
  const surroundings = socket.ask({ ...ask, path: '/info' }).catch(() => null);
  const version = await socket.ask({ ...ask, path: '/version' }).catch((error: unknown) => {
    enough.abort();
    throw error;
  });
  if (version.status !== 200) {
    enough.abort();
    return null;
  }
  // Whether it is rootless or Desktop is worth a second question, and no reason to go without the engine.
  const info = await surroundings;
  if (signal.aborted) throw new ContainerEngineError('aborted', 'It is not asked any longer.');
  return readEngineInfo(
    parseJson(version.text),
    info?.status === 200 ? parseJson(info.text) : null,
    endpoint,
  );
}

/** @returns the trial's code */
function describeAbsence(endpoint: string): string {
  const ofUser = userRuntimeDirectory(endpoint);
  return ofUser === null || existsSync(ofUser) ? 'ENOENT' : NOBODY_SIGNED_IN;
}

function systemCode(error: unknown): string {
  if (!(error instanceof ContainerEngineError) || error.code === 'aborted') throw error;
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.code === 'timeout' ? 'it takes too long' : error.code;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import * as containers from './answer-containers.js';
import { Execs } from './answer-exec.js';
import * as streams from './answer-streams.js';
import * as things from './answer-things.js';
import { type EngineExchange, sendJson } from './exchange.js';
import { type DockerEngineOptions, EngineRefusal } from './options.js';
import type { SimulatedEngine } from './simulated-engine.js';

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (exchange: EngineExchange) => void | Promise<void>;
}

/** How the engine treats requests for a while. */
export type EngineMood = 'well' | 'hangs' | 'garbage';

/** The HTTP side of the simulated engine, on a socket or pipe that can vanish and come back. */
export class EngineHttp {
  mood: EngineMood = 'well';
  /** Method and path of each request, the API's version left out. */
  readonly requests: string[] = [];
  readonly #engine: SimulatedEngine;
  readonly #options: DockerEngineOptions;
  readonly #routes: readonly Route[];
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(engine: SimulatedEngine, options: DockerEngineOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#routes = this.#table();
  }

  async listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => void this.#handle(request, response));
    server.requestTimeout = 0;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.path, resolve);
    });
    this.#server = server;
  }

  /** Cuts every connection; the socket's file goes too. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v\d+(\.\d+)*(?=\/)/, '');
    this.requests.push(`${request.method} ${path}`);
    if (this.mood === 'hangs') return;
    if (this.mood === 'garbage') return void response.writeHead(200).end('<html>not an engine</html>');
    const body = await readBody(request);
    const exchange = { engine: this.#engine, request, response, query: url.searchParams, caught: [], body };
    try {
      await this.#route(request.method ?? '', path, exchange);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (error instanceof EngineRefusal) return sendJson(exchange, error.status, { message: error.message });
      sendJson(exchange, error instanceof z.ZodError ? 400 : 500, { message: String(error) });
    }
  }

  async #route(method: string, path: string, exchange: EngineExchange): Promise<void> {
    for (const route of this.#routes) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match) return route.answer({ ...exchange, caught: match.slice(1).map(decodeURIComponent) });
    }
    throw new EngineRefusal(404, 'page not found');
  }

  #table(): readonly Route[] {
    const execs = new Execs();
    const route = (method: string, path: RegExp, answer: Route['answer']): Route => ({
      method,
      path,
      answer,
    });
    return [
      route(
        'GET',
        /^\/_ping$/,
        ({ response }) => void response.writeHead(200, this.#pingHeaders()).end('OK'),
      ),
      route('GET', /^\/version$/, (exchange) => this.#answer(exchange, 'version')),
      route('GET', /^\/info$/, (exchange) => this.#answer(exchange, 'info')),
      route('GET', /^\/events$/, streams.answerEvents),
      route('GET', /^\/containers\/json$/, containers.answerList),
      route('POST', /^\/(?:libpod\/)?containers\/create$/, containers.answerCreate),
      route('GET', /^\/containers\/([^/]+)\/json$/, containers.answerInspect),
      route('GET', /^\/containers\/([^/]+)\/logs$/, streams.answerLogs),
      route('POST', /^\/containers\/([^/]+)\/start$/, containers.answerStart),
      route('POST', /^\/containers\/([^/]+)\/stop$/, containers.answerStop),
      route('POST', /^\/containers\/([^/]+)\/kill$/, containers.answerKill),
      route('POST', /^\/containers\/([^/]+)\/pause$/, containers.answerPause),
      route('POST', /^\/containers\/([^/]+)\/unpause$/, containers.answerUnpause),
      route('DELETE', /^\/(?:libpod\/)?containers\/([^/]+)$/, containers.answerRemove),
      route('POST', /^\/containers\/([^/]+)\/exec$/, (exchange) => execs.create(exchange)),
      route('POST', /^\/exec\/([^/]+)\/start$/, (exchange) => execs.start(exchange)),
      route('GET', /^\/exec\/([^/]+)\/json$/, (exchange) => execs.inspect(exchange)),
      route('POST', /^\/images\/create$/, streams.answerPull),
      route('GET', /^\/images\/(.+)\/json$/, things.answerImage),
      route('GET', /^\/volumes$/, things.answerVolumes),
      route('POST', /^\/volumes\/create$/, things.answerCreateVolume),
      route('GET', /^\/volumes\/([^/]+)$/, things.answerVolume),
      route('DELETE', /^\/volumes\/([^/]+)$/, things.answerRemoveVolume),
    ];
  }

  #answer(exchange: EngineExchange, what: 'version' | 'info'): void {
    const { recorded } = this.#options;
    if (recorded === undefined) sendJson(exchange, 200, what === 'version' ? this.#version() : this.#info());
    else exchange.response.writeHead(200, { 'content-type': 'application/json' }).end(recorded[what]);
  }

  get #release(): string {
    return this.#options.version ?? (this.#options.flavour === 'podman' ? '5.4.0' : '28.1.1');
  }

  #pingHeaders(): Record<string, string> {
    const { flavour = 'docker', apiVersion = '1.47' } = this.#options;
    const release = this.#release;
    if (flavour === 'docker') return { server: `Docker/${release} (linux)`, 'api-version': apiVersion };
    return { server: `Libpod/${release} (linux)`, 'api-version': '1.41', 'libpod-api-version': release };
  }

  #version(): object {
    const { flavour = 'docker', apiVersion = '1.47', minApiVersion = '1.24' } = this.#options;
    const release = this.#release;
    const name = flavour === 'podman' ? 'Podman Engine' : 'Engine';
    return {
      Version: release,
      ApiVersion: flavour === 'podman' ? '1.41' : apiVersion,
      MinAPIVersion: minApiVersion,
      Components: [{ Name: name, Version: release }],
    };
  }

  #info(): object {
    const { desktop = false, rootless = false } = this.#options;
    return {
      OperatingSystem: desktop ? 'Docker Desktop' : 'Debian GNU/Linux 12 (bookworm)',
      SecurityOptions: ['name=seccomp,profile=builtin', ...(rootless ? ['name=rootless'] : [])],
    };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

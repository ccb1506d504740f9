import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { BodyCapture } from '../../bodies/capture-body.js';
import type { KeptBody } from '../../bodies/kept-body.js';
import type { DeclaredState } from '../../declared/declared-state.js';
import type { WakeDesk } from '../../fleet/wake-desk.js';
import type { RequestRow } from '../../registry/request-types.js';
import type { Router } from '../../router/route-types.js';
import { createAdmission } from '../admission/create-admission.js';
import type { KeyLookup } from '../admission/key-lookup.js';
import { createGateway, type Gateway } from '../create-gateway.js';
import { GatewayMetrics } from '../gateway-metrics.js';
import type { GatewayKey } from '../request-context.js';

/** Real servers on free ports, and what has to be closed after a test. */
export class TestGateway {
  readonly metrics = new GatewayMetrics();
  /** What was told to the request log, in order. */
  readonly records: RequestRow[] = [];
  /** What is kept of requests of keys that ask for it. */
  readonly bodies: KeptBody[] = [];
  readonly logLines: string[] = [];
  readonly gateway: Gateway;
  readonly server: Server;
  /** Admission and the gateway, for a server that is not this one's. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  url = '';
  port = 0;
  readonly #clock: Clock;
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(router: Router, options: TestOptions = {}) {
    const clock = options.clock ?? systemClock();
    this.#clock = clock;
    const log = pino({ level: 'info' }, { write: (line: string) => void this.logLines.push(line) });
    this.gateway = createGateway({
      router,
      secrets: options.secrets ?? { read: () => ({ ok: true, value: 'sk-of-the-provider' }) },
      tunnels: options.tunnels ?? { tunnel: () => undefined },
      live: options.live ?? { host: () => undefined, replica: () => undefined },
      ...(options.wakes === undefined ? {} : { wakes: options.wakes }),
      metrics: this.metrics,
      requestLog: { append: (row) => void this.records.push(row) },
      captureBody: (response, asked) =>
        new BodyCapture(
          response,
          asked,
          (body) => void this.bodies.push(body),
          () => clock.nowMs(),
        ),
      config: {
        maxBodyBytes: 1024 * 1024,
        maxMultipartBytes: 4 * 1024 * 1024,
        bodyTimeoutSeconds: 5,
        ...options.config,
      },
      spoolDirectory: options.spoolDirectory ?? this.#spoolDirectory(),
      clock,
      log,
    });
    const admission = createAdmission({
      declared: {
        current: () => declaredGateway(options.allowedOrigins ?? [], options.extraHosts ?? []),
        onChange: () => () => undefined,
      },
      keys: options.keys ?? ADMIN_ALONE,
      hostName: 'motoko',
      ownAddresses: () => new Set(['192.0.2.7']),
      requestLog: { append: (row) => void this.records.push(row) },
      clock,
      random: () => 0.5,
    });
    this.handle = (request, response) => {
      const context = admission.admit(request, response);
      if (context !== null) this.gateway.handle(request, response, context);
    };
    this.server = createServer(this.handle);
  }

  /** Removed at the end. */
  #spoolDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'ai-fabric-spool-'));
    this.#closers.push(async () => rmSync(directory, { recursive: true, force: true }));
    return directory;
  }

  async start(): Promise<this> {
    this.port = await listen(this.server);
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  /** An HTTP engine; `handle` gets the whole request body. */
  async engine(handle: EngineHandler): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => handle(request, response, Buffer.concat(chunks)));
    });
    const port = await listen(server);
    this.#closers.push(() => closeServer(server));
    return `http://127.0.0.1:${port}`;
  }

  /** An engine that speaks raw bytes, for what no HTTP server would send. */
  async rawEngine(handle: (socket: Socket, request: string) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      let seen = '';
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
        if (!isWholeRequest(seen)) return;
        const whole = seen;
        seen = '';
        handle(socket, whole);
      });
    });
    const port = await listen(server);
    this.#closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await closeServer(server);
    });
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    const closed = this.gateway.close(0);
    // A clock that stands still would hold up the end of what is still open.
    if (this.#clock instanceof ManualClock) {
      this.#clock.advance(1);
      await Promise.resolve();
      this.#clock.advance(10_000);
    }
    await closed;
    await closeServer(this.server);
    for (const close of this.#closers) await close();
  }
}

export type EngineHandler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

export interface TestOptions {
  readonly clock?: Clock;
  readonly secrets?: Parameters<typeof createGateway>[0]['secrets'];
  readonly tunnels?: Parameters<typeof createGateway>[0]['tunnels'];
  readonly live?: Parameters<typeof createGateway>[0]['live'];
  readonly wakes?: WakeDesk;
  readonly config?: Partial<Parameters<typeof createGateway>[0]['config']>;
  readonly spoolDirectory?: string;
  readonly allowedOrigins?: readonly string[];
  readonly extraHosts?: readonly string[];
  /** The admin token alone where left out. */
  readonly keys?: KeyLookup;
}

/** A key that may do everything. */
export function gatewayKey(overrides: Partial<GatewayKey> = {}): GatewayKey {
  const limits = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null };
  const permits = { roles: null, mayWake: true, mayCloud: true, keepsBodies: false };
  const classes = { defaultClass: null, mostUrgentClass: null };
  return { keyId: 'key-1', name: 'notes', ...permits, limits, classes, ...overrides };
}

const ADMIN_ALONE: KeyLookup = {
  find: ({ text }) => (text === 'the-admin-token' ? gatewayKey({ name: 'admin' }) : 'unknown'),
  anonymous: gatewayKey({ keyId: 'anonymous', name: 'anonymous' }),
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** Whether the answer ended as HTTP says it should. */
  readonly isWhole: boolean;
}

/** A plain HTTP client: `fetch` forbids some of the headers that are tested here. */
export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.on('close', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: bytes.toString('utf8'),
          isWhole: response.complete,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Waits for a condition, not for a time. @throws when it does not hold within the deadline */
export async function until(condition: () => boolean, what: string, deadlineMs = 30_000): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function errorOf(answer: Answer): {
  message: string;
  type: string;
  param: string | null;
  code: string;
} {
  return JSON.parse(answer.text).error;
}

function declaredGateway(allowedOrigins: readonly string[], extraHosts: readonly string[]): DeclaredState {
  return {
    revision: 1,
    hosts: new Map(),
    deployments: new Map(),
    providers: new Map(),
    roles: new Map(),
    aliases: new Map(),
    backup: null,
    gateway: { allowedOrigins, extraHosts },
    checks: { doctor: null, smoke: null, webhook: null },
    tariff: null,
  };
}

function isWholeRequest(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return text.length >= headEnd + 4 + length;
}

function listen(server: Server | TcpServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: Server | TcpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}

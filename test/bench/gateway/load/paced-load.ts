import type { Socket } from 'node:net';
import { answerParent } from '../../machine/answer-parent.js';
import { percentile } from '../../statistics.js';
import { type LoadTarget, openSocket, requestBytes } from './http-load.js';
import { isWholeAnswer } from './whole-answer.js';

/* So many requests a second whatever becomes of those before: what waits is not hidden by a client that waits with it. */

export interface PacedLoadQuestion {
  readonly target: LoadTarget;
  readonly perSecond: number;
  readonly durationMs: number;
}

export interface PacedLoadAnswer {
  readonly answers: number;
  readonly failures: number;
  /** From the writing of a request to the last byte of its answer. NaN of none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What is under way at its end may take this long. */
const DRAIN_MS = 2_000;

async function run({ target, perSecond, durationMs }: PacedLoadQuestion): Promise<PacedLoadAnswer> {
  const load = new PacedLoad(target);
  const startedAtMs = performance.now();
  for (let sent = 0; ; ) {
    const sinceMs = performance.now() - startedAtMs;
    if (sinceMs >= durationMs) break;
    for (const due = (sinceMs / 1_000) * perSecond; sent < due; sent += 1) load.send();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const endMs = performance.now() + DRAIN_MS; load.open > 0 && performance.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  load.close();
  return {
    answers: load.latenciesMs.length,
    failures: load.failures + load.open,
    p50Ms: percentile(load.latenciesMs, 0.5),
    p99Ms: percentile(load.latenciesMs, 0.99),
  };
}

class PacedLoad {
  readonly latenciesMs: number[] = [];
  failures = 0;
  open = 0;
  readonly #port: number;
  readonly #request: Buffer;
  readonly #idle: Connection[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(target: LoadTarget) {
    this.#port = target.port;
    this.#request = requestBytes(target);
  }

  send(): void {
    this.open += 1;
    (this.#idle.pop() ?? this.#connect()).send(this.#request);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(): Connection {
    const socket = openSocket(this.#port);
    this.#sockets.add(socket);
    const connection = new Connection(socket, (isGood, tookMs) => {
      this.open -= 1;
      if (isGood) this.latenciesMs.push(tookMs);
      else this.failures += 1;
      if (socket.destroyed) this.#sockets.delete(socket);
      else this.#idle.push(connection);
    });
    return connection;
  }
}

/** One request at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #ended: (isGood: boolean, tookMs: number) => void;
  #pending: Buffer = Buffer.alloc(0);
  #sentAtMs: number | null = null;

  constructor(socket: Socket, ended: (isGood: boolean, tookMs: number) => void) {
    this.#socket = socket;
    this.#ended = ended;
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end(false));
    socket.on('data', (data: Buffer) => {
      this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
      if (!isWholeAnswer(this.#pending)) return;
      const isGood = this.#pending.toString('latin1', 9, 12) === '200';
      this.#pending = Buffer.alloc(0);
      this.#end(isGood);
    });
  }

  send(request: Buffer): void {
    this.#sentAtMs = performance.now();
    this.#socket.write(request);
  }

  #end(isGood: boolean): void {
    if (this.#sentAtMs === null) return;
    const tookMs = performance.now() - this.#sentAtMs;
    this.#sentAtMs = null;
    this.#ended(isGood, tookMs);
  }
}

answerParent<PacedLoadQuestion>(run);

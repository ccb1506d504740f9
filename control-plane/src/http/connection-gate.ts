import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { isLoopback } from '../gateway/admission/decide/address-kind.js';
import { answerError, ownFacts } from '../gateway/answer-now.js';
import { type GatewayError, gatewayError } from '../gateway/decide/error-table.js';
import { isCrowded, judgeConnection } from './decide/judge-connection.js';
import { type EndableConnection, pickConnectionsToEnd } from './decide/pick-connections-to-end.js';
import { rawAnswer } from './raw-answer.js';

export interface ConnectionGateOptions {
  readonly maxConnections: number;
  readonly encrypted: boolean;
  /** Whether a request may have a place of the reserve: an agent's, or an operator's on this machine. */
  readonly isPrivileged: (request: IncomingMessage) => boolean;
  readonly nextRequestId: (given: string | string[] | undefined) => string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Places beyond the cap for who keeps the fabric running. */
const RESERVE = 64;
const HEADERS_TIMEOUT_MS = 20_000;
const CROWDED_HEADERS_TIMEOUT_MS = 5_000;
const SWEEP_MS = 1_000;
/** Who has a place of the reserve says what it wants within two sweeps. */
const RESERVED_SWEEPS = 2;
/** Looking for who is to go costs a pass over all: so many are noted at a time, and none is looked for again so soon. */
const NOTED_TO_END = 32;
const LOOK_AGAIN_MS = 100;
/** Refused ones that are still being told so, and for how long. */
const MAX_LEAVING = 256;
const LEAVING_MS = 1_000;
const TELL_EVERY_MS = 10_000;
const REFUSAL_HEADERS = ['retry-after', '1', 'connection', 'close'];

class HeldConnection implements EndableConnection {
  quietSweeps = 0;
  isUpgraded = false;
  isEnded = false;
  wasAsked = false;
  /** The last that it was asked, until that is answered: a response holds on to all that was made for it. */
  last: ServerResponse | null = null;
  /** It was answered before its body was whole. */
  isMidBody = false;
  readonly socket: Socket;
  sequence: number;
  isReserved: boolean;

  constructor(socket: Socket, sequence: number, isReserved: boolean) {
    this.socket = socket;
    this.sequence = sequence;
    this.isReserved = isReserved;
  }

  get state(): 'unasked' | 'idle' | 'busy' {
    if (this.isUpgraded || this.isEnded) return 'busy';
    if (!this.wasAsked) return 'unasked';
    return this.last === null ? 'idle' : 'busy';
  }
}

/**
 * The connections of one listener: never more than its cap and a small reserve. Above the cap one that is of no use
 * makes room; where there is none, who arrives is refused. Nothing here waits for a client.
 */
export class ConnectionGate {
  readonly #server: Server;
  readonly #options: ConnectionGateOptions;
  readonly #held = new Map<Socket | Duplex, HeldConnection>();
  #sequence = 0;
  /** Counted before TLS is spoken. */
  #open = 0;
  /** Ended by this gate, and still counted. */
  #ending = 0;
  #leaving = 0;
  #toEnd: HeldConnection[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #refused = 0;
  #sweeper: Timer | null = null;
  #isClosed = false;
  #isStopping = false;

  constructor(server: Server, options: ConnectionGateOptions) {
    this.#server = server;
    this.#options = options;
    const connections = this.#held;
    this.#onAnswered = function (this: ServerResponse): void {
      const held = connections.get(this.req.socket);
      if (held?.last !== this) return;
      held.last = null;
      held.isMidBody = !this.req.complete;
    };
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    const takers = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      // One that is known is read again: it was put back.
      if (!this.#held.has(socket) && !this.#arrived(socket)) return;
      for (const take of takers) take.call(server, socket);
    });
    if (options.encrypted) server.prependListener('secureConnection', (socket: Socket) => this.#hold(socket));
  }

  get open(): number {
    return this.#open - this.#ending;
  }

  /** Connections that found no place, since start. */
  get refused(): number {
    return this.#refused;
  }

  /** Notes each request, and refuses those on the reserve that have no claim to it. */
  watch(goOn: RequestListener): RequestListener {
    return (request, response) => {
      const held = this.#held.get(request.socket);
      if (held !== undefined) {
        held.last = response;
        held.wasAsked = true;
        response.on('close', this.#onAnswered);
        held.sequence = ++this.#sequence;
        held.quietSweeps = 0;
        if (held.isReserved && !this.#mayStay(held, request)) {
          const requestId = this.#options.nextRequestId(request.headers['x-request-id']);
          const facts = ownFacts({ requestId, corsHeaders: [] }, 'overloaded');
          answerError(response, this.#overloaded(), facts, REFUSAL_HEADERS);
          return;
        }
      }
      if (this.#isStopping) response.setHeader('connection', 'close');
      goOn(request, response);
    };
  }

  /** @returns whether it may: else it has no claim to the reserve, and is to be refused */
  upgrade(request: IncomingMessage, socket: Duplex): boolean {
    const held = this.#held.get(socket);
    if (held === undefined) return true;
    held.isUpgraded = true;
    return !held.isReserved || this.#mayStay(held, request);
  }

  /** Whether an error of its reading can still be told: nothing of an answer is on its way, or was sent for it. */
  mayBeTold(socket: Duplex): boolean {
    const held = this.#held.get(socket);
    if (held === undefined) return true;
    return held.last === null ? !held.isMidBody : !held.last.headersSent;
  }

  /** Answers from here on tell clients to come back on another connection. */
  stop(): void {
    this.#isStopping = true;
  }

  close(): void {
    this.#isClosed = true;
    this.#sweeper?.cancel();
    this.#sweeper = null;
  }

  /** @returns whether it is let in */
  #arrived(socket: Socket): boolean {
    const { maxConnections: max, encrypted } = this.#options;
    if (this.open >= max) this.#makeRoom();
    const isLocal = isLoopback(socket.remoteAddress);
    if (judgeConnection({ open: this.open, max, reserve: RESERVE, isLocal }) === 'refuse') {
      this.#turnAway(socket);
      return false;
    }
    this.#open++;
    this.#counted();
    socket.once('close', () => {
      this.#open--;
      this.#counted();
    });
    if (!encrypted) this.#hold(socket);
    return true;
  }

  #hold(socket: Socket): void {
    if (this.#held.has(socket)) return;
    const held = new HeldConnection(socket, ++this.#sequence, this.open > this.#options.maxConnections);
    this.#held.set(socket, held);
    socket.once('close', () => {
      this.#held.delete(socket);
      if (held.isEnded) this.#ending--;
      held.isEnded = true;
    });
  }

  #mayStay(held: HeldConnection, request: IncomingMessage): boolean {
    // Others have gone since it came.
    if (this.open <= this.#options.maxConnections) held.isReserved = false;
    const mayStay = !held.isReserved || this.#options.isPrivileged(request);
    if (!mayStay) this.#refused++;
    return mayStay;
  }

  #makeRoom(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#toEnd.length === 0 && nowMs - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#lookedAtMs = nowMs;
      this.#toEnd = pickConnectionsToEnd(this.#held.values(), NOTED_TO_END).reverse();
    }
    for (let next = this.#toEnd.pop(); next !== undefined; next = this.#toEnd.pop()) {
      // It was asked something since it was noted.
      if (next.state === 'busy') continue;
      this.#end(next);
      return;
    }
  }

  #end(held: HeldConnection): void {
    if (held.isEnded) return;
    held.isEnded = true;
    this.#ending++;
    held.socket.destroy();
  }

  #turnAway(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#refused++;
    this.#tell();
    // A handshake for each of them would be what a flood is after.
    if (this.#options.encrypted || this.#leaving >= MAX_LEAVING) {
      socket.destroy();
      return;
    }
    this.#leaving++;
    const timer = this.#options.clock.after(LEAVING_MS, () => socket.destroy());
    socket.once('close', () => {
      timer.cancel();
      this.#leaving--;
    });
    // What is closed on unread bytes is reset, and the client never sees why.
    socket.once('end', () => socket.destroy()).resume();
    const requestId = this.#options.nextRequestId(undefined);
    socket.write(rawAnswer('503 Service Unavailable', this.#overloaded(), requestId, REFUSAL_HEADERS));
  }

  #overloaded(): GatewayError {
    const message = `All ${this.#options.maxConnections} connections that are taken here are in use; come again in a second.`;
    return gatewayError('overloaded', message);
  }

  #tell(): void {
    const { clock, log, maxConnections } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    const fix = 'see who keeps them open, or raise AI_FABRIC_MAX_CONNECTIONS';
    log.warn(
      { maxConnections, refused: this.#refused, fix },
      'connections are refused: all places are taken',
    );
  }

  #counted(): void {
    const crowded = isCrowded(this.open, this.#options.maxConnections);
    if (this.#isClosed || crowded === (this.#sweeper !== null)) return;
    this.#server.headersTimeout = crowded ? CROWDED_HEADERS_TIMEOUT_MS : HEADERS_TIMEOUT_MS;
    this.#sweeper?.cancel();
    this.#sweeper = crowded ? this.#options.clock.every(SWEEP_MS, this.#sweep) : null;
  }

  /** One for all: a listener of its own for each response would be one more thing to throw away. */
  readonly #onAnswered: (this: ServerResponse) => void;

  readonly #sweep = (): void => {
    for (const held of this.#held.values()) {
      held.quietSweeps++;
      const isDue = held.isReserved && held.quietSweeps >= RESERVED_SWEEPS;
      if (isDue && held.state !== 'busy') this.#end(held);
    }
  };
}

import { connect, isIPv6, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Clock, type HttpAnswerListener, HttpAnswerReader, type HttpHead } from '@ai-fabric/shared';
import type { Deadlines, Expiring } from '../../deadlines.js';
import type { AnswerHeaders, CallBody } from '../upstream-call.js';

/** Hears of the answer to what it asked on a connection. */
export interface Asker {
  answerHead(status: number, headers: AnswerHeaders): void;
  /** @param chunk its own */
  answerData(chunk: Buffer): void;
  answerEnd(): void;
  /** @param isStale a connection that had answered before ended without a word to this: the engine never saw it */
  answerFailed(error: Error, isStale: boolean): void;
}

/** Who lends the connection. */
export interface ConnectionOwner {
  /** It may be asked again. */
  onFree(connection: PlainConnection): void;
  onGone(connection: PlainConnection): void;
}

export interface PlainOrigin {
  readonly host: string;
  readonly port: number;
  /** What the `host` header says. */
  readonly authority: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Of its own read buffer: an engine's JSON answer or event in one piece. */
const READ_BYTES = 16 * 1024;
/** A body up to this goes out in one piece with its head. */
const JOINED_BYTES = 64 * 1024;
/** Below the 5 s after which uvicorn closes an idle connection. */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 60_000;
/** So much sooner than the engine says: its goodbye and our question would meet. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** A goodbye that crossed the question arrives within the way there and back; later it is an answer to the question. */
const CROSSED_MS = 250;
const TIMEOUT_HINT = /(?:^|[\s,;])timeout=(\d{1,6})(?:$|[\s,;])/i;

/** One connection to an engine without TLS, for one request at a time. */
export class PlainConnection implements HttpAnswerListener, Expiring {
  expiresAtMs: number;
  slot = -1;
  /** While it waits for a request: it is not to be used after this. */
  usableUntilMs = 0;
  readonly #owner: ConnectionOwner;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #socket: Socket;
  readonly #reader = new HttpAnswerReader(this);
  #asker: Asker | null = null;
  #keepAliveMs = KEEP_ALIVE_MS;
  #answers = 0;
  #hasHeard = false;
  #askedAtMs = 0;
  #error: Error | null = null;
  #isPaused = false;
  #isOver = false;
  /** The rest of a body that is sent as it is read. */
  #sending: Readable | null = null;

  constructor(origin: PlainOrigin, owner: ConnectionOwner, clock: Clock, deadlines: Deadlines) {
    this.#owner = owner;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.expiresAtMs = clock.monotonicMs() + CONNECT_TIMEOUT_MS;
    deadlines.watch(this);
    this.#socket = connect({
      host: origin.host,
      port: origin.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      // Read into one buffer, without a stream between: half of what an answer costs.
      onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: this.#onRead },
    });
    this.#socket.on('connect', this.#onConnect).on('error', this.#onError).on('close', this.#onClose);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param head as `writeRequestHead` gives it */
  ask(asker: Asker, head: string, body: CallBody): void {
    this.#asker = asker;
    this.#hasHeard = false;
    this.#askedAtMs = this.#clock.monotonicMs();
    this.#reader.next();
    const socket = this.#socket;
    if (!(body instanceof Uint8Array)) {
      socket.write(head, 'latin1');
      this.#send(body.open());
      return;
    }
    if (body.length > JOINED_BYTES) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
      return;
    }
    const whole = Buffer.allocUnsafe(head.length + body.length);
    whole.write(head, 'latin1');
    whole.set(body, head.length);
    socket.write(whole);
  }

  /** Ends it. The asker hears nothing more. */
  destroy(): void {
    this.#asker = null;
    this.#end();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  onHead({ status, headers }: HttpHead): void {
    const hint = TIMEOUT_HINT.exec(String(headers['keep-alive'] ?? ''))?.[1];
    this.#keepAliveMs =
      hint === undefined
        ? KEEP_ALIVE_MS
        : Math.min(Number(hint) * 1000 - KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MAX_MS);
    this.#asker?.answerHead(status, headers);
  }

  onBody(part: Buffer): void {
    this.#asker?.answerData(Buffer.from(part));
  }

  /** It does not come about. */
  onExpired(): void {
    this.#fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
  }

  readonly #onConnect = (): void => this.#deadlines.unwatch(this);

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onRead = (bytes: number, buffer: Uint8Array): boolean => {
    // What nobody asked for: whoever sends it is not to be trusted with a request.
    if (this.#asker === null) {
      this.#end();
      return true;
    }
    this.#hasHeard = true;
    try {
      this.#reader.take((buffer as Buffer).subarray(0, bytes));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
    if (this.#reader.isWhole) this.#finish();
    return true;
  };

  readonly #onClose = (): void => {
    if (this.#isOver) return;
    if (this.#error === null && this.#asker !== null && this.#reader.end()) this.#finish();
    else this.#fail(this.#error ?? brokenOff());
  };

  #send(source: Readable): void {
    this.#sending = source;
    source.on('end', () => {
      this.#sending = null;
    });
    source.on('error', (error) => this.#fail(error));
    source.pipe(this.#socket, { end: false });
  }

  #finish(): void {
    const asker = this.#asker;
    this.#asker = null;
    this.#answers++;
    // An engine that refuses a body before it has all of it has yet to read the rest.
    if (
      !this.#isOver &&
      this.#reader.keepsConnection &&
      this.#keepAliveMs > 0 &&
      this.#sending === null &&
      this.#socket.writableLength === 0
    ) {
      // The end of an answer may come in the very piece that was too much for its client.
      if (this.#isPaused) this.resume();
      this.usableUntilMs = this.#clock.monotonicMs() + this.#keepAliveMs;
      this.#owner.onFree(this);
    } else this.#end();
    asker?.answerEnd();
  }

  #fail(error: Error): void {
    const asker = this.#asker;
    this.#asker = null;
    this.#end();
    const hasCrossed = this.#clock.monotonicMs() - this.#askedAtMs <= CROSSED_MS;
    asker?.answerFailed(error, this.#answers > 0 && !this.#hasHeard && hasCrossed);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.unwatch(this);
    this.#sending?.destroy();
    this.#socket.destroy();
    this.#owner.onGone(this);
  }
}

/** @param origin such as `http://192.168.1.20:8000` */
export function readOrigin(origin: string): PlainOrigin {
  const { hostname, port, host } = new URL(origin);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host: isIPv6(bare) ? bare : hostname, port: Number(port || 80), authority: host };
}

function brokenOff(): Error {
  return Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' });
}

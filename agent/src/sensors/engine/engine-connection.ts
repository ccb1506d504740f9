import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CollectedAnswer } from './decide/collected-answer.js';

export interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
}

interface Exchange {
  readonly answer: CollectedAnswer;
  readonly resolve: (answer: EngineAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** One connection to an engine, for one question at a time. */
export class EngineConnection {
  /** The last that was asked for. */
  #url: URL;
  readonly #socket: Socket;
  #exchange: Exchange | null = null;
  #error: unknown = null;
  #hasHeard = false;
  #isOver = false;

  constructor(url: URL) {
    this.#url = url;
    this.#socket = dial(url, (piece) => this.#take(piece));
    this.#socket
      .on('error', (error) => {
        this.#error = error;
      })
      .on('close', () => this.#onClose());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether scheme, host and port are the same. Putting them together takes long, and as a rule it is the same URL. */
  leadsTo(url: URL): boolean {
    if (url === this.#url) return true;
    if (url.origin !== this.#url.origin) return false;
    this.#url = url;
    return true;
  }

  /** Whether anything came of the answer to the last question. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** @throws what broke the connection, an error with the code `no_http` or `too_long`, or what `fail` is given */
  ask(head: string, body: Buffer | string | null, maxBytes: number): Promise<EngineAnswer> {
    this.#hasHeard = false;
    const answer = new Promise<EngineAnswer>((resolve, reject) => {
      this.#exchange = { answer: new CollectedAnswer(maxBytes), resolve, reject };
    });
    const socket = this.#socket;
    socket.ref();
    if (body === null) socket.write(head, 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
    return answer;
  }

  /** Ends it, and what was asked on it. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#socket.destroy();
    this.#exchange?.reject(error);
    this.#exchange = null;
  }

  #take(piece: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      // Nobody asked.
      this.fail(null);
      return;
    }
    this.#hasHeard = true;
    const { reader } = exchange.answer;
    try {
      reader.take(piece);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (reader.isWhole) this.#finish(exchange);
  }

  #finish({ answer, resolve }: Exchange): void {
    this.#exchange = null;
    if (!answer.reader.keepsConnection) this.fail(null);
    // A connection that waits for a question keeps no program alive.
    else this.#socket.unref();
    resolve({ status: answer.reader.status, body: answer.body() });
  }

  #onClose(): void {
    this.#isOver = true;
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#error === null && exchange.answer.reader.end()) this.#finish(exchange);
    else this.fail(this.#error ?? brokenOff());
  }
}

/** What comes over any plain connection: a piece is taken before the next one is read. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** @param take must not keep the piece: its memory is used again */
function dial({ protocol, hostname, port }: URL, take: (piece: Buffer) => void): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol !== 'https:') {
    const callback = (length: number): boolean => {
      take(shared.subarray(0, length));
      return true;
    };
    return connect({ host, port: Number(port || 80), noDelay: true, onread: { buffer: shared, callback } });
  }
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port: Number(port || 443), ...name }).on('data', take);
}

function brokenOff(): NodeJS.ErrnoException {
  return Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' });
}

import type { ServerResponse } from 'node:http';
import { countOf } from '@ai-fabric/shared';
import type { AnswerSink, SinkHost } from './answer-sink.js';
import { ClientPipe } from './client-pipe.js';
import { type AttemptFailure, attemptFailure } from './decide/attempt-failure.js';
import type { Dialect } from './decide/dialects/dialect.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

/** An answer up to this goes out in one piece with its head. */
const JOINED_BYTES = 64 * 1024;

/**
 * An answer in one piece, JSON or text: held until it is whole and then sent with one write, so that one that breaks off can still be asked
 * elsewhere. One beyond the bound is passed through as it comes; if that breaks off, so does the client's connection.
 */
export class WholeAnswer implements AnswerSink {
  readonly #host: SinkHost;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #pipe: ClientPipe | null = null;

  readonly #dialect: Dialect | null;

  /** @param dialect of a JSON answer; `null`: it is text */
  constructor(host: SinkHost, dialect: Dialect | null) {
    this.#host = host;
    this.#dialect = dialect;
  }

  get isWhole(): boolean {
    return false;
  }

  data(chunk: Buffer): void {
    if (this.#pipe !== null) {
      this.#pipe.write(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > GATEWAY_LIMITS.bufferedAnswerBytes) this.#passThrough();
  }

  end(): void {
    if (this.#pipe !== null) {
      this.#host.succeed(null, null);
      this.#host.response.end();
      return;
    }
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#bytes);
    const dialect = this.#dialect;
    const usage = dialect === null ? null : dialect.readAnswerUsage(body);
    if (usage === 'broken') {
      const what = countOf(body.length, 'byte that is', 'bytes that are');
      this.#host.giveUp(attemptFailure('truncated', `${what} no whole JSON object`));
      return;
    }
    this.#host.commit(body.length);
    this.#host.succeed(usage, dialect === null ? null : dialect.readAnswerId(body));
    if (body.length > JOINED_BYTES) this.#host.response.end(body);
    // As text it goes out in one piece with the head. Latin-1: each byte is a letter, and comes out as it was.
    else endInOnePiece(this.#host.response, body.toString('latin1'));
  }

  failed(failure: AttemptFailure): void {
    if (this.#pipe === null) {
      this.#host.giveUp(failure);
      return;
    }
    this.#host.interrupted(failure);
    this.#host.response.destroy();
  }

  /** There is no way to tell an error inside a JSON answer: a cut connection is the only honest end. */
  breakOff(): void {
    this.#host.response.destroy();
  }

  #passThrough(): void {
    const length = this.#host.headers['content-length'];
    this.#host.commit(typeof length === 'string' ? Number(length) : null);
    this.#pipe = new ClientPipe(this.#host.response, this.#host, this.#host.isHeard);
    for (const chunk of this.#chunks) this.#pipe.write(chunk);
    this.#chunks.length = 0;
  }
}

/** What `end` does with it, in one call of the system for one piece: `end` sends an empty second one, and both as a list. */
function endInOnePiece(response: ServerResponse, text: string): void {
  const { socket } = response;
  // Behind another answer of its connection it has none yet.
  if (socket === null) {
    response.end(text, 'latin1');
    return;
  }
  socket.cork();
  response.write(text, 'latin1');
  socket.uncork();
  response.end();
}

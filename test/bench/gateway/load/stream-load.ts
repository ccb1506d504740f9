import type { Socket } from 'node:net';
import { answerParent } from '../../machine/answer-parent.js';
import { type LoadTarget, openSocket, requestBytes } from './http-load.js';

/* Holds many streams open at once and counts their chunks. */

export type StreamLoadQuestion =
  | { readonly type: 'open'; readonly target: LoadTarget; readonly streams: number }
  | { readonly type: 'count' }
  | { readonly type: 'close' };

export interface StreamLoadAnswer {
  /** Streams that have begun and not ended. */
  readonly flowing: number;
  /** Events seen since the streams were opened. */
  readonly chunks: number;
  /** The first thing that was not a stream, where there was one. */
  readonly refusal: string | null;
}

/** Between two openings, so that the tokens of the streams do not fall on the same millisecond. */
const STAGGER_MS = 3;
const OPEN_DEADLINE_MS = 15_000;
const EVENT_START = Buffer.from('data: ');

class Streams {
  readonly #sockets: Socket[] = [];
  readonly #flowing = new Set<Socket>();
  #chunks = 0;
  #refusal: string | null = null;

  async open(target: LoadTarget, streams: number): Promise<void> {
    const request = requestBytes(target);
    for (let index = 0; index < streams; index += 1) {
      this.#sockets.push(this.#openOne(target.port, request));
      await new Promise((resolve) => setTimeout(resolve, STAGGER_MS));
    }
    const endMs = performance.now() + OPEN_DEADLINE_MS;
    while (this.#flowing.size < streams && this.#refusal === null && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  answer(): StreamLoadAnswer {
    return { flowing: this.#flowing.size, chunks: this.#chunks, refusal: this.#refusal };
  }

  close(): void {
    for (const socket of this.#sockets)
      socket
        .removeAllListeners()
        .on('error', () => undefined)
        .destroy();
  }

  #openOne(port: number, request: Buffer): Socket {
    const socket = openSocket(port);
    socket.on('connect', () => socket.write(request));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#flowing.delete(socket));
    socket.on('data', (data: Buffer) => {
      if (!this.#flowing.has(socket)) {
        if (data.toString('latin1', 9, 12) !== '200') this.#refusal ??= data.toString('latin1', 0, 500);
        this.#flowing.add(socket);
      }
      // An event that is split over two reads just here is missed by us, and no more than one in thousands is.
      for (let at = data.indexOf(EVENT_START); at !== -1; at = data.indexOf(EVENT_START, at + 6)) {
        this.#chunks += 1;
      }
    });
    return socket;
  }
}

let streams = new Streams();

answerParent<StreamLoadQuestion>(async (question) => {
  if (question.type === 'open') {
    streams.close();
    streams = new Streams();
    await streams.open(question.target, question.streams);
  }
  const answer = streams.answer();
  if (question.type === 'close') streams.close();
  return answer;
});

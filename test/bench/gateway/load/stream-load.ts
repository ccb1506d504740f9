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
  /** Between two arrivals on the same stream since the count before; NaN of none. */
  readonly gapP99Ms: number;
}

/** Between two openings, so that the tokens of the streams do not fall on the same millisecond. */
const STAGGER_MS = 3;
const OPEN_DEADLINE_MS = 15_000;
const EVENT_START = Buffer.from('data: ');

class Streams {
  readonly #sockets: Socket[] = [];
  readonly #flowing = new Set<Socket>();
  readonly #gaps = new GapCounts();
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
    const gapP99Ms = this.#gaps.takePercentile(0.99);
    return { flowing: this.#flowing.size, chunks: this.#chunks, refusal: this.#refusal, gapP99Ms };
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
    let lastAtMs = Number.NaN;
    socket.on('connect', () => socket.write(request));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#flowing.delete(socket));
    socket.on('data', (data: Buffer) => {
      const nowMs = performance.now();
      this.#gaps.add(nowMs - lastAtMs);
      lastAtMs = nowMs;
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

/** Gaps by tenths of a millisecond up to a second: thousands come in each second. */
class GapCounts {
  readonly #counts = new Uint32Array(10_001);
  #count = 0;

  add(gapMs: number): void {
    // The first arrival follows none.
    if (Number.isNaN(gapMs)) return;
    const bin = Math.min(10_000, Math.round(gapMs * 10));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#count += 1;
  }

  /** Of those since the last call. */
  takePercentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    const bin = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    const gapMs = this.#count === 0 ? Number.NaN : bin / 10;
    this.#counts.fill(0);
    this.#count = 0;
    return gapMs;
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

import type { ServerResponse } from 'node:http';

/** The two ends of back pressure on the upstream's side. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** What is larger is not put together with the frame of its chunk. */
const FRAMED_BYTES = 8 * 1024;

/** Writes to the client; while it reads more slowly than the engine writes, the engine's stream is paused. */
export class ClientPipe {
  readonly #response: ServerResponse;
  readonly #source: Pausable;
  readonly #isHeard: boolean;
  #hasBegun = false;
  #listens = false;

  /** @param isHeard whether somebody listens to what the response is given: then all goes through it */
  constructor(response: ServerResponse, source: Pausable, isHeard: boolean) {
    this.#response = response;
    this.#source = source;
    this.#isHeard = isHeard;
  }

  write(bytes: Uint8Array): void {
    if (this.#send(bytes)) return;
    if (!this.#listens) {
      this.#listens = true;
      this.#response.on('drain', () => this.#source.resume());
    }
    this.#source.pause();
  }

  /**
   * A chunk goes out with its frame in one piece where it can: the response makes four of it, a third of what an event
   * costs.
   *
   * @returns whether there is room for more
   */
  #send(bytes: Uint8Array): boolean {
    const response = this.#response;
    const { socket } = response;
    if (!this.#mayFrame(bytes) || socket === null) {
      this.#hasBegun = true;
      return response.write(bytes);
    }
    // Its client is gone: its exchange hears of it next.
    if (response.writableEnded || socket.destroyed) return true;
    // Latin-1: each byte is a letter, and comes out as it was.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    if (socket.write(`${bytes.length.toString(16)}\r\n${text}\r\n`, 'latin1')) return true;
    // Without a write of its own the response would not be told that there is room again.
    return response.write('');
  }

  /** The head goes out with the first piece; behind another answer of its connection a response has no socket yet. */
  #mayFrame({ length }: Uint8Array): boolean {
    if (!this.#hasBegun || this.#isHeard || !this.#response.chunkedEncoding) return false;
    return length > 0 && length <= FRAMED_BYTES;
  }
}

import type { ServerResponse } from 'node:http';

/** The two ends of back pressure on the upstream's side. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Writes to the client; while it reads more slowly than the engine writes, the engine's stream is paused. */
export class ClientPipe {
  readonly #response: ServerResponse;
  readonly #source: Pausable;
  #listens = false;

  constructor(response: ServerResponse, source: Pausable) {
    this.#response = response;
    this.#source = source;
  }

  write(bytes: Uint8Array): void {
    if (this.#response.write(bytes)) return;
    if (!this.#listens) {
      this.#listens = true;
      this.#response.on('drain', () => this.#source.resume());
    }
    this.#source.pause();
  }
}

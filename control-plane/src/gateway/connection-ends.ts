import type { Socket } from 'node:net';

/**
 * Tells requests that their connection has closed. Node tells it to the response that has the connection; one that
 * waits behind it (a pipelined request) would never hear of it, and its engine would go on for nobody. One listener
 * serves all requests of a connection, however many there are.
 */
export class ConnectionEnds {
  readonly #waiting = new WeakMap<Socket, Set<() => void>>();

  watch(socket: Socket, onEnd: () => void): void {
    const known = this.#waiting.get(socket);
    if (known !== undefined) {
      known.add(onEnd);
      return;
    }
    const waiting = new Set([onEnd]);
    this.#waiting.set(socket, waiting);
    socket.once('close', () => {
      for (const tell of waiting) tell();
    });
  }

  unwatch(socket: Socket, onEnd: () => void): void {
    this.#waiting.get(socket)?.delete(onEnd);
  }
}

import { closeCodes, type GoodbyeReason } from '@ai-fabric/shared';
import type { PinnedAddress } from './dial-pinned-tls.js';
import type { LinkFailure } from './link-failure.js';
import type { LinkDial, LinkSocket, OpenLinkSocket } from './link-socket.js';

interface Connection {
  dial: LinkDial | null;
  socket: LinkSocket | null;
}

/** What the current connection says. One that was left is not listened to any more. */
export interface ConnectionListener {
  opened(): void;
  /** `null` for a binary message. */
  message(text: string | null): void;
  sign(): void;
  ended(failure: LinkFailure): void;
}

/** The connection that counts, and those that are still being closed. */
export class LinkConnections {
  readonly #openSocket: OpenLinkSocket;
  readonly #listener: ConnectionListener;
  readonly #open = new Set<Connection>();
  readonly #waiters: (() => void)[] = [];
  #current: Connection | null = null;

  constructor(openSocket: OpenLinkSocket, listener: ConnectionListener) {
    this.#openSocket = openSocket;
    this.#listener = listener;
  }

  /** Of the current connection, once it is open. */
  get socket(): LinkSocket | null {
    return this.#current?.socket ?? null;
  }

  dial(address: PinnedAddress): void {
    const connection: Connection = { dial: null, socket: null };
    this.#open.add(connection);
    this.#current = connection;
    const isCurrent = (): boolean => this.#current === connection;
    connection.dial = this.#openSocket(address, {
      opened: (socket) => {
        connection.socket = socket;
        if (isCurrent()) this.#listener.opened();
        else socket.terminate();
      },
      message: (text) => {
        if (isCurrent()) this.#listener.message(text);
      },
      sign: () => {
        if (isCurrent()) this.#listener.sign();
      },
      ended: (failure) => this.#onEnded(connection, failure),
    });
  }

  /** Leaves the current connection with a goodbye; it closes in its own time. */
  close(farewell: string, reason: GoodbyeReason): void {
    const connection = this.#current;
    this.#current = null;
    connection?.socket?.send(farewell);
    connection?.socket?.close(closeCodes[reason], reason);
  }

  /** Leaves the current connection at once. */
  terminate(): void {
    const connection = this.#current;
    this.#current = null;
    if (connection?.socket) connection.socket.terminate();
    else connection?.dial?.abort();
  }

  /** Resolves when none is left open. */
  async allEnded(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #onEnded(connection: Connection, failure: LinkFailure): void {
    this.#open.delete(connection);
    if (this.#current === connection) {
      this.#current = null;
      this.#listener.ended(failure);
    }
    if (this.#open.size === 0) for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

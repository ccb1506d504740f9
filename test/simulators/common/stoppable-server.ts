import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const PORT_RETRIES = 40;
const PORT_RETRY_MS = 50;

/**
 * An HTTP server that can vanish as a killed process does (sockets cut, connections refused) and come back
 * on the same port.
 */
export class StoppableServer {
  readonly host: string;
  #port: number;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  readonly #onRequest: RequestListener;
  readonly #keepAliveMs: number;

  constructor(onRequest: RequestListener, settings: { host: string; port: number; keepAliveMs: number }) {
    this.#onRequest = onRequest;
    this.host = settings.host;
    this.#port = settings.port;
    this.#keepAliveMs = settings.keepAliveMs;
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== null;
  }

  /** Takes a free port, and leaves it closed: whoever connects is refused until `start()`. */
  async reservePort(): Promise<void> {
    if (this.#port !== 0) return;
    await this.start();
    await this.stop();
  }

  /** @throws the system's error when the port is still taken after two seconds */
  async start(): Promise<void> {
    if (this.#server) return;
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#server = await this.#listen();
        this.#port = (this.#server.address() as AddressInfo).port;
        return;
      } catch (error) {
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!taken || attempt >= PORT_RETRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PORT_RETRY_MS));
      }
    }
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #listen(): Promise<Server> {
    const server = createServer(this.#onRequest);
    server.keepAliveTimeout = this.#keepAliveMs;
    // What a client does slowly is the tested program's business: no limit of ours may end it first.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.host, () => {
        server.off('error', reject);
        resolve(server);
      });
    });
  }
}

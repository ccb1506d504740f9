import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A piece of network between an agent and its control plane that can fail in the ways networks do. */
export class CutOffProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #state: 'passing' | 'silent' | 'cut' = 'passing';
  /** Of one connection, once. */
  #cutAfterBytes = Number.POSITIVE_INFINITY;
  /** That came from the target, on all connections. */
  passedBytes = 0;
  /** That were taken so far. */
  connections = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param target URL whose host and port lie behind it */
  static async start(target: string): Promise<CutOffProxy> {
    const proxy = new CutOffProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The target's URL by way of the proxy. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#target.protocol}//127.0.0.1:${port}`;
  }

  /** A cable that was pulled: nothing passes, nobody is told. New connections are taken and lead nowhere. */
  fallSilent(): void {
    this.#state = 'silent';
    for (const [client, upstream] of this.#pairs) {
      client.pause();
      upstream.pause();
    }
  }

  /** The first connection on which so many bytes came from the target is reset. */
  cutOneAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** A link that breaks: all connections are reset, new ones too. */
  cut(): void {
    this.#state = 'cut';
    this.#reset();
  }

  /** Passes new connections again. Those that fell silent are gone: a network does not hold bytes back for minutes. */
  resume(): void {
    this.#state = 'passing';
    this.#reset();
  }

  async close(): Promise<void> {
    this.#state = 'cut';
    this.#reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #reset(): void {
    for (const [client, upstream] of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    this.connections += 1;
    const upstream = connect(Number(this.#target.port), this.#target.hostname);
    const pair = [client, upstream] as const;
    this.#pairs.add(pair);
    upstream.on('error', () => client.destroy());
    for (const socket of pair) {
      socket.once('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => upstream.write(bytes));
    let came = 0;
    upstream.on('data', (bytes) => {
      came += bytes.length;
      this.passedBytes += bytes.length;
      client.write(bytes);
      if (came < this.#cutAfterBytes) return;
      this.#cutAfterBytes = Number.POSITIVE_INFINITY;
      // What was written goes out before the end of it.
      client.end();
      upstream.destroy();
    });
    if (this.#state === 'silent') {
      client.pause();
      upstream.pause();
    }
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../harness/temporary-directory.js';
import { eventually } from '../../simulators/common/eventually.js';

/** How layers are delivered. */
export type LayerFault =
  | { readonly kind: 'none' }
  /** The connection breaks after so many bytes. */
  | { readonly kind: 'break'; readonly afterBytes: number }
  /** So many bytes each 20 ms. */
  | { readonly kind: 'slow'; readonly bytesPerStep: number };

/**
 * Debian's docker-registry on loopback, behind a door that can break off or slow down a layer on its way. `address` is
 * that of the door.
 */
export class LocalRegistry {
  readonly address: string;
  fault: LayerFault = { kind: 'none' };
  readonly #folder = temporaryDirectory();
  readonly #process: ChildProcess;
  readonly #door: Server;

  private constructor(ports: { readonly registry: number; readonly door: number }) {
    this.address = `127.0.0.1:${ports.door}`;
    mkdirSync(join(this.#folder.path, 'data'));
    const config = join(this.#folder.path, 'registry.yml');
    const rootdirectory = JSON.stringify(join(this.#folder.path, 'data'));
    writeFileSync(
      config,
      `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${rootdirectory} }, delete: { enabled: true } }
http: { addr: "127.0.0.1:${ports.registry}", host: "http://${this.address}" }
`,
    );
    this.#process = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    this.#door = this.#makeDoor(ports.registry);
  }

  static async start(): Promise<LocalRegistry> {
    const [registry, door] = await freePorts(2);
    if (registry === undefined || door === undefined) throw new Error('no port is free');
    const started = new LocalRegistry({ registry, door });
    started.#door.listen(door, '127.0.0.1');
    await once(started.#door, 'listening');
    await eventually('the registry answers', () => isUp(started.address), 30_000);
    return started;
  }

  async close(): Promise<void> {
    this.#door.close();
    this.#door.closeAllConnections();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    this.#folder.remove();
  }

  #makeDoor(port: number): Server {
    return createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const inner = request({ host: '127.0.0.1', port, method, path: url, headers }, async (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        const isLayer =
          method === 'GET' && /\/blobs\//.test(url ?? '') && Number(answer.headers['content-length']) > 1e6;
        if (!isLayer || this.fault.kind === 'none') return void answer.pipe(outgoing);
        let sent = 0;
        for await (const piece of answer as AsyncIterable<Buffer>) {
          if (outgoing.destroyed) return;
          sent += piece.length;
          if (this.fault.kind === 'break' && sent > this.fault.afterBytes) return void outgoing.destroy();
          outgoing.write(piece);
          if (this.fault.kind === 'slow' && sent % this.fault.bytesPerStep < piece.length) {
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
        outgoing.end();
      });
      inner.on('error', () => outgoing.destroy());
      outgoing.on('error', () => inner.destroy());
      incoming.pipe(inner);
    });
  }
}

async function isUp(address: string): Promise<boolean> {
  const answer = await fetch(`http://${address}/v2/`).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createTcpServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

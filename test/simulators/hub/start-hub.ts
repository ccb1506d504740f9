import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubModel {
  /** Sizes of its files, in bytes. */
  readonly files: Readonly<Record<string, number>>;
  /** It wants a token. */
  readonly gated?: boolean;
}

/** A hub of models: what `huggingface_hub` asks of one, as far as the stand-in beside it does. */
export interface HubSimulator {
  readonly url: string;
  /** Paths of the files that were asked for. */
  readonly fetched: readonly string[];
  /** From now on files stop in their middle, until they are let go. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Starts a simulated hub on loopback. */
export async function startHub(models: Readonly<Record<string, HubModel>>): Promise<HubSimulator> {
  const fetched: string[] = [];
  let held: Promise<void> | null = null;
  let release = (): void => {};

  async function sendFile(response: ServerResponse, size: number): Promise<void> {
    response.writeHead(200, { 'content-length': String(size) });
    const half = Math.floor(size / 2);
    response.write(Buffer.alloc(half, 'x'));
    await held;
    response.end(Buffer.alloc(size - half, 'y'));
  }

  async function answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = /^\/(api\/models\/)?([^/]+\/[^/]+)\/(?:revision|resolve)\/[^/?]+\/?([^?]*)/.exec(url);
    const [, api, name = '', file = ''] = asked ?? [];
    const model = models[name];
    if (model === undefined) return void response.writeHead(404).end();
    if (model.gated) return void response.writeHead(401).end();
    if (api !== undefined) {
      const siblings = Object.entries(model.files).map(([rfilename, size]) => ({ rfilename, size }));
      return void response.end(JSON.stringify({ sha: COMMIT, siblings }));
    }
    const size = model.files[file];
    if (size === undefined) return void response.writeHead(404).end();
    fetched.push(`${name}/${file}`);
    await sendFile(response, size);
  }

  const server = createServer((request, response) => {
    response.on('error', () => {});
    void answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fetched,
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => {
      held = null;
      release();
    },
    close: async () => {
      release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askImageSize } from './image-size.js';

const DIGEST = `sha256:${'b'.repeat(64)}`;
const image = { config: { size: 10 }, layers: [{ size: 1_000 }] };
const platforms = {
  manifests: [
    {
      digest: DIGEST,
      platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
    },
  ],
};
const never = new AbortController().signal;

let server: Server;
let address: string;
let asked: string[];
let answer: (path: string, request: IncomingMessage, response: ServerResponse) => unknown;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const value = answer(request.url ?? '', request, response);
    if (value !== undefined) response.end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('the size of an image', () => {
  test('is what its registry says of this platform', async () => {
    answer = (path) => (path.endsWith('/v1') ? platforms : image);
    expect(await askImageSize(`${address}/vllm/vllm-openai:v1`, never)).toBe(1_010);
    expect(asked).toEqual(['/v2/vllm/vllm-openai/manifests/v1', `/v2/vllm/vllm-openai/manifests/${DIGEST}`]);
  });

  test('is told to who fetched a token first', async () => {
    answer = (path, request, response) => {
      if (path.startsWith('/token')) return { token: 'let-me' };
      if (request.headers.authorization === 'Bearer let-me') return image;
      response.statusCode = 401;
      response.setHeader('www-authenticate', `Bearer realm="http://${address}/token",service="here"`);
      return {};
    };
    expect(await askImageSize(`${address}/vllm:v1`, never)).toBe(1_010);
    expect(asked[1]).toBe('/token?service=here');
  });

  test.each<[string, typeof answer]>([
    ['credentials', (_, __, response) => void response.writeHead(401, { 'www-authenticate': 'Basic' }).end()],
    ['nothing', (_, __, response) => void response.writeHead(404).end(JSON.stringify(image))],
    ['nonsense', () => ['layers']],
    ['an answer without end', (_, __, response) => void response.end('x'.repeat(5 * 1024 * 1024))],
    ['itself for ever', () => platforms],
  ])('is unknown where the registry has %s', async (_, said) => {
    answer = said;
    expect(await askImageSize(`${address}/vllm:v1`, never)).toBeNull();
  });

  test('is unknown where there is no registry, and where nobody waits any more', async () => {
    expect(await askImageSize('127.0.0.1:1/vllm:v1', never)).toBeNull();
    answer = () => undefined;
    const stop = new AbortController();
    const asking = askImageSize(`${address}/vllm:v1`, stop.signal);
    stop.abort();
    expect(await asking).toBeNull();
  });
});

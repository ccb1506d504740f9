import { connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelCache } from './model-cache.js';
import { modelsEndpoint } from './models-endpoint.js';

const listed = { model: 'Qwen/Qwen3-8B', sizeBytes: 5, revisions: [], complete: true, changedAtMs: 1 };

/** What was asked of the cache, and what it answers or throws. */
class FakeCache implements Pick<ModelCache, 'list' | 'prefetch' | 'remove'> {
  readonly asked: unknown[] = [];
  problem: Error | null = null;

  async list() {
    if (this.problem) throw this.problem;
    return [listed];
  }
  async *prefetch(model: string, revision: string | null) {
    this.asked.push({ model, revision });
    yield { kind: 'progress', doneBytes: 1, totalBytes: 5 } as const;
    if (this.problem) throw this.problem;
    yield { kind: 'done', bytes: 5 } as const;
  }
  async remove(model: string) {
    this.asked.push(model);
    if (this.problem) throw this.problem;
    return 7;
  }
}

let cache: FakeCache;
let server: Http2Server;

beforeEach(async () => {
  cache = new FakeCache();
  const endpoint = modelsEndpoint(cache as unknown as ModelCache);
  server = createServer();
  server.on('stream', (stream, headers) => {
    const url = new URL(String(headers[':path']), 'http://agent.fabric');
    const segments = url.pathname
      .split('/')
      .slice(4)
      .map((segment) => decodeURIComponent(segment));
    const question = { method: String(headers[':method']), segments, query: url.searchParams };
    void endpoint(stream, question, new AbortController().signal);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

async function ask(method: string, path: string): Promise<{ status: number; body: string }> {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stream = session.request({ ':method': method, ':path': `/agent/v1/models${path}` });
  const status = await new Promise<number>((resolve) => {
    stream.once('response', (headers) => resolve(headers[':status'] ?? 0));
  });
  const body = await text(stream);
  session.close();
  return { status, body };
}

const busy = Object.assign(new Error('another look is under way'), { code: 'busy' });

describe('the models of a host, asked of its agent', () => {
  test('are listed as JSON', async () => {
    const { status, body } = await ask('GET', '');
    expect([status, JSON.parse(body)]).toEqual([200, { models: [listed] }]);
    cache.problem = busy;
    expect(await ask('GET', '')).toMatchObject({ status: 409, body: expect.stringContaining('"busy"') });
  });

  test('are fetched line by line, and what goes wrong is the last line', async () => {
    const { body } = await ask('POST', '/prefetch/Qwen/Qwen3-8B?revision=main');
    expect(
      body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).kind),
    ).toEqual(['progress', 'done']);
    expect(cache.asked).toEqual([{ model: 'Qwen/Qwen3-8B', revision: 'main' }]);
    cache.problem = busy;
    const failed = await ask('POST', '/prefetch/Qwen/Qwen3-8B');
    expect(failed.body.trim().split('\n').at(-1)).toContain('"kind":"failed","code":"busy"');
  });

  test('are removed', async () => {
    expect(await ask('DELETE', '/Qwen/Qwen3-8B')).toMatchObject({ status: 200, body: '{"freedBytes":7}' });
    expect(cache.asked).toEqual(['Qwen/Qwen3-8B']);
  });

  test.each([
    ['POST', '/prefetch/..%2F..%2Fetc/passwd'],
    ['POST', '/prefetch/--help/x'],
    ['POST', '/prefetch/a'],
    ['POST', '/prefetch/a/b?revision=..%2F..'],
    ['DELETE', '/..%2F..%2Fetc/passwd'],
    ['DELETE', '/a'],
    ['PUT', '/a/b'],
  ])('%s %s reaches no cache', async (method, path) => {
    expect((await ask(method, path)).status).toBeGreaterThanOrEqual(400);
    expect(cache.asked).toEqual([]);
  });
});

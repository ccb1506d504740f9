import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type EngineHttp, type EngineRequest, engineHttp } from './engine-http.js';

const servers: Server[] = [];
const clients: EngineHttp[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function engine(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?query=1`);
}

function client(clock = systemClock()): EngineHttp {
  const opened = engineHttp(clock);
  clients.push(opened);
  return opened;
}

const get = (url: URL, over: Partial<EngineRequest> = {}): EngineRequest => ({
  method: 'GET',
  url,
  signal: new AbortController().signal,
  deadlineMs: 10_000,
  maxBytes: 100,
  ...over,
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}

describe('an engine’s answer', () => {
  it('is its status and its body, for a question with a body as well', async () => {
    const url = await engine((request, response) => {
      void textOf(request).then((text) => {
        response
          .writeHead(201)
          .end(`${request.method} ${request.url} ${request.headers['content-type']} ${text}`);
      });
    });
    const asking = client();
    const plain = await asking.request(get(url));
    expect([plain.status, plain.body.toString()]).toEqual([201, 'GET /path?query=1 undefined ']);
    const posted = await asking.request(get(url, { method: 'POST', json: { max_tokens: 1 } }));
    expect(posted.body.toString()).toBe('POST /path?query=1 application/json {"max_tokens":1}');
  });

  it('is a redirect where there is one', async () => {
    const url = await engine((_, response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
    });
    expect((await client().request(get(url))).status).toBe(307);
  });
});

describe('an answer that does not come', () => {
  it('is told by its code', async () => {
    const url = await engine((_, response) => {
      response.end('x'.repeat(101));
    });
    await expect(client().request(get(url))).rejects.toMatchObject({ code: 'too_long' });
    await expect(client().request(get(url, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'aborted',
    });
    for (const server of servers) server.close();
    await expect(client().request(get(url))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is given up at its deadline, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    let asked: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const url = await engine(() => asked());
    const answer = client(clock).request(get(url, { deadlineMs: 5_000 }));
    const failed = expect(answer).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('5 s'),
    });
    await arrived;
    clock.advance(5_000);
    await failed;
    expect(clock.pendingTimers).toBe(0);
  });
});

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type EngineHttp, type EngineRequest, engineHttp } from './engine-http.js';

/** A second, as `vi.waitFor` has it, is nothing on a machine that has other work. */
const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 });

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

describe('a kept connection', () => {
  it('is used again, and dialled anew after it was ended', async () => {
    let connections = 0;
    const url = await engine((_, response) => {
      response.end('x');
    });
    const [server] = servers;
    server?.on('connection', () => {
      connections += 1;
    });
    const asking = client();
    for (let time = 0; time < 3; time += 1) await asking.request(get(url));
    expect(connections).toBe(1);
    server?.closeAllConnections();
    expect((await asking.request(get(url))).status).toBe(200);
    expect(connections).toBe(2);
  });

  it('that the other side ends as a question comes is no failure of a GET', async () => {
    const answered = new WeakSet<object>();
    const url = await engine((request, response) => {
      if (answered.has(request.socket)) request.socket.destroy();
      else {
        answered.add(request.socket);
        response.end('x');
      }
    });
    const asking = client();
    for (let time = 0; time < 3; time += 1) expect((await asking.request(get(url))).status).toBe(200);
    await expect(asking.request(get(url, { method: 'POST' }))).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('is not what two questions at the same time share', async () => {
    const url = await engine((request, response) => {
      response.end(request.url);
    });
    const asking = client();
    const paths = ['/a', '/b', '/c'];
    const answers = await Promise.all(paths.map((path) => asking.request(get(new URL(path, url)))));
    expect(answers.map(({ body }) => body.toString())).toEqual(paths);
  });

  it('answers in the engine’s chunks, large ones too', async () => {
    const text = 'y'.repeat(300_000);
    const url = await engine((_, response) => {
      response.write(text.slice(0, 1));
      response.end(text.slice(1));
    });
    const { body } = await client().request(get(url, { maxBytes: 300_000 }));
    expect(body.toString()).toBe(text);
  });
});

describe('an answer that does not come', () => {
  it('is given up when its signal says so, and no other with it, whether that was used before or not', async () => {
    const held: (() => void)[] = [];
    const url = await engine((request, response) => {
      if (request.url === '/held') held.push(() => response.end('late'));
      else response.end('x');
    });
    const path = new URL('/held', url);
    const asking = client();
    const [one, other] = [new AbortController(), new AbortController()];
    for (let time = 0; time < 2; time += 1) await asking.request(get(url, { signal: one.signal }));
    const first = asking.request(get(path, { signal: one.signal }));
    const second = asking.request(get(path, { signal: one.signal }));
    const third = asking.request(get(path, { signal: other.signal }));
    const fourth = asking.request(get(path));
    await soon(() => expect(held).toHaveLength(4));
    other.abort();
    await expect(third).rejects.toMatchObject({ code: 'aborted' });
    one.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    await expect(second).rejects.toMatchObject({ code: 'aborted' });
    for (const answer of held) answer();
    expect((await fourth).body.toString()).toBe('late');
    expect((await asking.request(get(url))).status).toBe(200);
    await expect(asking.request(get(url, { signal: one.signal }))).rejects.toMatchObject({ code: 'aborted' });
  });

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

  it('is told when it breaks off, and when it is no HTTP', async () => {
    const broken = await engine((_, response) => {
      response.write('x', () => response.destroy());
    });
    await expect(client().request(get(broken))).rejects.toMatchObject({ code: 'ECONNRESET' });
    const odd = await engine((request) => {
      request.socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    });
    await expect(client().request(get(odd))).rejects.toMatchObject({ code: 'no_http' });
  });

  it('is told when its client is closed', async () => {
    const asking = client();
    const url = await engine(() => asking.close());
    await expect(asking.request(get(url))).rejects.toMatchObject({ code: 'aborted' });
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

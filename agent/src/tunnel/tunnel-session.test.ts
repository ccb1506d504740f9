import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { MAX_TUNNEL_STREAMS, TUNNEL_STREAM_WINDOW_BYTES } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { QuickClock } from '../testing/quick-clock.js';
import { type AgentEndpoint, logsEndpoint } from './agent-endpoints.js';
import { boundlessPreface, clientPreface, getRequest } from './testing/raw-http2.js';
import { type EngineHandler, type RigOptions, TunnelRig, until } from './testing/tunnel-rig.js';

let rig: TunnelRig;
afterEach(() => rig.close());

async function start(options: RigOptions = {}): Promise<TunnelRig> {
  rig = await TunnelRig.start(options);
  return rig;
}

const CHAT = { ':method': 'POST', ':authority': 'chat', ':path': '/v1/chat/completions' } as const;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

describe('a request through the tunnel', () => {
  it("reaches the engine with the engine's own key and none that came", async () => {
    const { plane, seen } = await start({
      key: 'key-of-the-engine',
      engine: async (request, response) => {
        response.setHeader('x-engine', 'vllm').end(`heard ${await bodyOf(request)}`);
      },
    });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer foreign', cookie: 'a=b' };
    const answer = await plane.ask({ ...CHAT, ...headers, 'content-length': 7 }, '{"a":1}');
    expect(answer).toMatchObject({ status: 200, text: 'heard {"a":1}' });
    expect(answer.headers['x-engine']).toBe('vllm');
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/chat/completions' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer key-of-the-engine',
      'content-length': '7',
    });
    expect(seen[0]?.headers.cookie).toBeUndefined();
    expect(rig.logLines.join('')).not.toContain('key-of-the-engine');
  });

  it.each([
    ['/v1/models/', 'GET', 404, 'path_not_allowed'],
    ['/v1/models?x=1', 'GET', 404, 'path_not_allowed'],
    ['/v1/../metrics', 'GET', 404, 'path_not_allowed'],
    ['/v1/%6dodels', 'GET', 404, 'path_not_allowed'],
    ['//v1/models', 'GET', 404, 'path_not_allowed'],
    ['/metrics', 'GET', 404, 'path_not_allowed'],
    ['/sleep?level=1', 'POST', 404, 'path_not_allowed'],
    ['/collective_rpc', 'POST', 404, 'path_not_allowed'],
    ['/invocations', 'POST', 404, 'path_not_allowed'],
    ['/tokenize', 'POST', 404, 'path_not_allowed'],
    ['/v1/load_lora_adapter', 'POST', 404, 'path_not_allowed'],
    ['/v1/chat/completions', 'GET', 405, 'method_not_allowed'],
    ['/v1/models', 'DELETE', 405, 'method_not_allowed'],
    ['/v1/models', 'POST', 405, 'method_not_allowed'],
  ])('for %s by %s is refused, and no engine hears of it', async (path, method, status, code) => {
    const { plane, seen } = await start();
    const answer = await plane.ask({ ...CHAT, ':method': method, ':path': path });
    expect(answer.status).toBe(status);
    expect(answer.headers['x-fabric-tunnel-error']).toBe(code);
    expect(seen).toEqual([]);
  });

  it('for a deployment that is not kept here is refused', async () => {
    const { plane } = await start();
    const answer = await plane.ask({ ...CHAT, ':authority': 'other' }, '{}');
    expect(answer.headers['x-fabric-tunnel-error']).toBe('no_engine');
  });

  it('gets a redirect as it is: it is not followed', async () => {
    const { plane, seen } = await start({
      engine: (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/metrics' }).end(),
    });
    expect((await plane.ask(CHAT, '{}')).status).toBe(307);
    expect(seen).toHaveLength(1);
  });

  it.each([200, 400, 404, 422, 500, 503])("gets the engine's own %i as it is", async (status) => {
    const { plane } = await start({
      engine: (_, response) => response.writeHead(status).end('{"error":{}}'),
    });
    const answer = await plane.ask(CHAT, '{}');
    expect(answer).toMatchObject({ status, text: '{"error":{}}' });
    expect(answer.headers['x-fabric-tunnel-error']).toBeUndefined();
  });

  it("does not take an engine's word for the agent's", async () => {
    const { plane } = await start({
      engine: (_, response) =>
        response.writeHead(200, { 'x-fabric-tunnel-error': 'no_engine', 'set-cookie': 'a=b' }).end(),
    });
    const { headers } = await plane.ask(CHAT, '{}');
    expect(headers['x-fabric-tunnel-error']).toBeUndefined();
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('is answered for where nothing listens, or the engine ends the connection', async () => {
    const { plane } = await start({
      findEngine: (name) => ({ host: '127.0.0.1', port: name === 'chat' ? 1 : rig.enginePort, key: null }),
      engine: (request) => request.socket.destroy(),
    });
    expect((await plane.ask(CHAT, '{}')).headers['x-fabric-tunnel-error']).toBe('engine_refused');
    const reset = await plane.ask({ ...CHAT, ':authority': 'embed' }, '{}');
    expect(reset.headers['x-fabric-tunnel-error']).toBe('engine_reset');
  });

  it('that finds a kept connection dead is answered so, and the next one has a new connection', async () => {
    const { plane, engine } = await start();
    expect((await plane.ask(CHAT, '{}')).text).toBe('answer');
    engine
      .removeAllListeners('request')
      .on('request', (request: IncomingMessage) => request.socket.destroy());
    expect((await plane.ask(CHAT, '{}')).headers['x-fabric-tunnel-error']).toBe('engine_stale');
    expect((await plane.ask(CHAT, '{}')).headers['x-fabric-tunnel-error']).toBe('engine_reset');
  });

  it.each([
    ['with a length', { 'content-length': 100 }],
    ['without a length', { 'content-type': 'text/event-stream' }],
  ])('whose answer, %s, breaks off is reset, not ended', async (_, headers) => {
    const { plane } = await start({
      engine: (request, response) => {
        response.writeHead(200, headers);
        response.write('half', () => request.socket.destroy());
      },
    });
    await expect(plane.ask(CHAT, '{}')).rejects.toThrow();
  });

  it('that fails in the agent itself is reset, not ended', async () => {
    const broken: AgentEndpoint = async (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
      throw new Error('broken');
    };
    const { plane } = await start({ endpoints: new Map([['broken', broken]]) });
    const head = { ':method': 'GET', ':authority': 'agent.fabric', ':path': '/agent/v1/broken' };
    await expect(plane.ask(head)).rejects.toThrow();
  });

  it('with a body that is not what its length says reaches no engine whole', async () => {
    const { plane } = await start({
      engine: async (request, response) => response.end(await bodyOf(request)),
    });
    const smuggled = plane.ask({ ...CHAT, 'content-length': 2 }, '{}GET /metrics HTTP/1.1\r\n\r\n');
    await expect(smuggled).rejects.toThrow();
    expect((await plane.ask(CHAT, '{}')).text).toBe('{}');
    expect(rig.seen.every(({ url }) => url === '/v1/chat/completions')).toBe(true);
  });

  it.each(['chat_fast.2', 'a-b'])('goes to a deployment of the name %s', async (name) => {
    const { plane } = await start({
      findEngine: () => ({ host: '127.0.0.1', port: rig.enginePort, key: null }),
    });
    expect((await plane.ask({ ...CHAT, ':authority': name }, '{}')).status).toBe(200);
  });
});

describe('a stream through the tunnel', () => {
  it('comes event by event', async () => {
    let write: (text: string) => void = () => undefined;
    const { plane } = await start({
      engine: (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        write = (text) => response.write(text);
      },
    });
    const stream = plane.session.request({ ...CHAT });
    stream.end('{}');
    await once(stream, 'response');
    for (const text of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      write(text);
      expect(String((await once(stream, 'data'))[0])).toBe(text);
    }
    stream.close();
  });

  it.each([
    ['is cancelled', (stream: { close(code: number): void }) => stream.close(constants.NGHTTP2_CANCEL)],
    ['dies with its tunnel', () => rig.plane.session.destroy()],
    ['dies with its connection', () => rig.plane.sockets[0]?.destroy()],
  ])("that %s ends the engine's request at once", async (_, end) => {
    let ended = 0;
    const { plane } = await start({
      engine: (request, response) => {
        request.on('close', () => undefined);
        response.on('close', () => {
          ended += 1;
        });
        response.writeHead(200).write('data: 1\n\n');
      },
    });
    const stream = plane.session.request({ ...CHAT });
    stream.on('error', () => undefined);
    stream.end('{}');
    await once(stream, 'data');
    expect(rig.inFlight.count('chat')).toBe(1);
    end(stream);
    await until('the engine knows', () => ended === 1);
    await until('nothing is counted', () => rig.inFlight.count('chat') === 0);
  });

  it('that is cancelled before an answer ends the request as well', async () => {
    let ended = 0;
    const { plane } = await start({
      engine: (_, response) =>
        response.on('close', () => {
          ended += 1;
        }),
    });
    const stream = plane.session.request({ ...CHAT });
    stream.on('error', () => undefined);
    stream.end('{}');
    await until('the engine is asked', () => rig.seen.length === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await until('the engine knows', () => ended === 1);
  });

  it('whose reader is slow holds the engine back, in bounded memory', async () => {
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const { plane } = await start({
      engine: (_, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (written < 32 * 1024 * 1024) {
            written += chunk.length;
            if (!response.write(chunk)) {
              response.once('drain', more);
              return;
            }
          }
          response.end();
        };
        more();
      },
    });
    const stream = plane.session.request({ ...CHAT });
    stream.end('{}');
    await once(stream, 'response');
    let before = -1;
    await until('the engine has to wait', () => {
      const waits = written === before;
      before = written;
      return waits;
    });
    // The windows of HTTP/2 and what the sockets of this machine hold.
    expect(written).toBeLessThan(TUNNEL_STREAM_WINDOW_BYTES + 16 * 1024 * 1024);
    let read = 0;
    for await (const part of stream) read += (part as Buffer).length;
    expect(read).toBe(32 * 1024 * 1024);
  });

  it('takes a body of many megabytes from a slow engine, no faster than it reads', async () => {
    const size = 8 * 1024 * 1024;
    let read = 0;
    const { plane } = await start({
      engine: async (request, response) => {
        for await (const part of request) {
          read += (part as Buffer).length;
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end(String(read));
      },
    });
    const answer = await plane.ask({ ...CHAT, ':path': '/v1/audio/transcriptions' }, Buffer.alloc(size));
    expect(answer.text).toBe(String(size));
  });
});

describe('a peer that opens streams without end', () => {
  it('is held to the bound, and loses the tunnel when it goes on', async () => {
    const { plane } = await start({ engine: () => undefined });
    const { session } = plane;
    let refused = 0;
    for (let index = 0; index < 1_000; index++) {
      const stream = session.request({ ...CHAT });
      stream.on('error', () => {
        refused += 1;
      });
      stream.end('{}');
    }
    await until(
      'the bound is reached',
      () => rig.inFlight.count('chat') >= MAX_TUNNEL_STREAMS || refused > 0,
    );
    expect(rig.inFlight.count('chat')).toBeLessThanOrEqual(MAX_TUNNEL_STREAMS);
    session.destroy();
    await until('all are over', () => rig.inFlight.count('chat') === 0);
  });
});

describe('a peer that does not keep to what it is told', () => {
  /** 10,000 requests at once, whatever the bound. */
  const attackWith =
    (path: string) =>
    (socket: TLSSocket): void => {
      socket.write(clientPreface());
      const requests = Array.from({ length: 10_000 }, (_, index) => getRequest(index, 'chat', path));
      socket.write(Buffer.concat(requests));
    };
  const answerChatAlone: EngineHandler = ({ url }, response) => {
    if (url === '/v1/chat/completions') response.end('answer');
  };

  it('loses its tunnel when it opens 10,000 streams, and no engine is asked more than the bound', async () => {
    const { plane, seen } = await start({
      engine: answerChatAlone,
      onFirstTunnel: attackWith('/v1/models'),
    });
    expect(plane.hellos).toHaveLength(2);
    expect(plane.sockets[0]?.destroyed).toBe(true);
    expect(seen.length).toBeLessThanOrEqual(MAX_TUNNEL_STREAMS);
    await until('its requests are over', () => rig.inFlight.count('chat') === 0);
    expect((await plane.ask(CHAT, '{}')).text).toBe('answer');
  });

  it('asks no engine with 10,000 requests for what is not on the list', async () => {
    const { plane, seen } = await start({
      engine: answerChatAlone,
      onFirstTunnel: (socket) => {
        attackWith('/sleep')(socket);
        // Each may be refused in time: then the peer goes by itself.
        socket.end();
      },
    });
    expect(seen).toEqual([]);
    expect((await plane.ask(CHAT, '{}')).text).toBe('answer');
  });

  it('that falls silent in the middle of a long answer loses its tunnel, though what was written goes nowhere', async () => {
    const { plane, inFlight } = await start({
      // Silence is over after eleven seconds: a fifth of one here.
      clock: new QuickClock(50),
      engine: (_, response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(64 * 1024))) if (response.destroyed) return;
          response.once('drain', more);
        };
        more();
      },
      onFirstTunnel: (socket) => {
        // As behind a cable that is cut: nothing is read any more, and nothing is said.
        socket.pause();
        socket.write(Buffer.concat([boundlessPreface(), getRequest(0, 'chat', '/v1/models')]));
      },
    });
    await until('the request is over', () => plane.hellos.length > 1 && inFlight.count('chat') === 0);
    expect(plane.hellos.length).toBeGreaterThan(1);
  });

  it('may send its welcome before the hello: HTTP/2 begins when no write is under way', async () => {
    // Without the wait for the hello's write Node aborts the whole process here.
    const { plane } = await start({ hasty: true });
    expect((await plane.ask(CHAT, '{}')).text).toBe('answer');
  });
});

describe('whoever waits for a deployment to have nothing under way', () => {
  it('is told when its last request is over', async () => {
    let finish: () => void = () => undefined;
    const { plane } = await start({
      engine: (_, response) => {
        finish = () => response.end();
      },
    });
    await rig.inFlight.whenIdle('chat', AbortSignal.timeout(1_000));
    const answer = plane.ask(CHAT, '{}');
    await until('it is asked', () => rig.seen.length === 1);
    expect(rig.inFlight.count('chat')).toBe(1);
    let idle = false;
    const waiting = rig.inFlight.whenIdle('chat', AbortSignal.timeout(5_000)).then(() => {
      idle = true;
    });
    const gaveUp = new AbortController();
    const other = rig.inFlight.whenIdle('chat', gaveUp.signal);
    gaveUp.abort();
    await other;
    expect(idle).toBe(false);
    finish();
    await answer;
    await waiting;
    expect(rig.inFlight.count('chat')).toBe(0);
  });
});

describe('what the agent answers itself', () => {
  const lines = async function* (): AsyncGenerator<unknown> {
    yield { atMs: 1, stream: 'stdout', text: 'loading' };
    yield { atMs: 2, stream: 'stderr', text: 'ready' };
  };
  const GET = { ':method': 'GET', ':authority': 'agent.fabric' } as const;

  it('is the log of a deployment, a line of JSON for each of its own', async () => {
    const asked: unknown[] = [];
    const endpoint = logsEndpoint((deployment, question) => {
      asked.push({ deployment, ...question });
      return deployment === 'chat' ? lines() : null;
    });
    const { plane } = await start({ endpoints: new Map([['logs', endpoint]]) });
    const answer = await plane.ask({
      ...GET,
      ':path': '/agent/v1/logs/chat?follow=1&sinceMs=1700&tailLines=x',
    });
    expect(answer.status).toBe(200);
    expect(
      answer.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).text),
    ).toEqual(['loading', 'ready']);
    expect(asked).toEqual([{ deployment: 'chat', follow: true, sinceMs: 1_700 }]);
    const other = await plane.ask({ ...GET, ':path': '/agent/v1/logs/other' });
    expect(other.headers['x-fabric-tunnel-error']).toBe('no_engine');
  });

  it('ends its source when the reader leaves', async () => {
    let ended = false;
    const endpoint = logsEndpoint((_deployment, _question, signal) =>
      (async function* () {
        try {
          for (;;) {
            yield { text: 'again' };
            if (signal.aborted) return;
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          ended = true;
        }
      })(),
    );
    const { plane } = await start({ endpoints: new Map([['logs', endpoint]]) });
    const stream = plane.session.request({ ...GET, ':path': '/agent/v1/logs/chat?follow=1' });
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.close(constants.NGHTTP2_CANCEL);
    await until('the source ended', () => ended);
  });

  it.each([
    ['/agent/v1/nothing', 'path_not_allowed'],
    ['/agent/v1/logs', 'path_not_allowed'],
    ['/agent/v1/logs/a/b', 'path_not_allowed'],
    ['/agent/v1/logs/..', 'path_not_allowed'],
    ['/agent/v1/logs/%2e%2e', 'path_not_allowed'],
    ['/v1/models', 'path_not_allowed'],
  ])('is nothing else: %s', async (path, code) => {
    const { plane } = await start({ endpoints: new Map([['logs', logsEndpoint(() => lines())]]) });
    expect((await plane.ask({ ...GET, ':path': path })).headers['x-fabric-tunnel-error']).toBe(code);
  });

  it('is an error of its own where it fails, and the tunnel lives on', async () => {
    const broken: AgentEndpoint = () => Promise.reject(new Error('disk'));
    const { plane } = await start({ endpoints: new Map([['models', broken]]) });
    const answer = await plane.ask({ ...GET, ':path': '/agent/v1/models' });
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.headers['x-fabric-tunnel-error']).toBe('internal');
    expect(answer.text).not.toContain('disk');
    expect((await plane.ask(CHAT, '{}')).status).toBe(200);
  });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDispatch } from './dispatch.js';

const nothing = () => undefined;

describe('a request that brings a body where none is wanted', () => {
  let server: Server;
  beforeEach(async () => {
    const handlers = createDispatch(
      {
        ...{ gateway: nothing, link: nothing, tunnel: nothing, feed: nothing, install: nothing },
        api: () => new Response(),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }),
        notReady: () => [],
        verifyAdminToken: () => true,
        isOwnHost: () => true,
        pageOrigin: () => 'none',
        takeFeedTicket: () => false,
      },
      pino({ level: 'silent' }),
    );
    server = createServer(handlers.request({ encrypted: false }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  async function exchange(request: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    socket.write(request);
    await once(socket, 'close');
    return text;
  }

  test.each([
    ['/healthz', 200, 'content-length: 100000'],
    ['/readyz', 200, 'transfer-encoding: chunked'],
    ['/metrics', 200, 'content-length: 100000'],
    ['/agent/v1/link', 404, 'content-length: 100000'],
    ['/nowhere', 404, 'transfer-encoding: chunked'],
  ])(
    'is answered and its connection ended, whenever the body may come (%s)',
    async (path, status, length) => {
      const text = await exchange(`POST ${path} HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n`);
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    },
  );

  test('is not one that says it has none: its connection goes on', async () => {
    const ask = (headers: string) => `POST /healthz HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;
    const text = await exchange(ask('content-length: 0\r\n') + ask('connection: close\r\n'));
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});

describe('a proxy on this machine', () => {
  test.each([
    ['/metrics', 401],
    ['/api/v1/hosts', 404],
  ])('does not make its clients local: %s answers %i', async (path, status) => {
    const handlers = createDispatch(
      {
        ...{ gateway: nothing, link: nothing, tunnel: nothing, feed: nothing, install: nothing },
        api: () => new Response('hosts'),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }),
        notReady: () => [],
        verifyAdminToken: () => false,
        isOwnHost: () => true,
        pageOrigin: () => 'none',
        takeFeedTicket: () => false,
      },
      pino({ level: 'silent' }),
    );
    const server = createServer(handlers.request({ encrypted: false }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(status);
    server.closeAllConnections();
    server.close();
  });
});

describe('a web page on this machine', () => {
  test.each([
    ['none', 200],
    ['own', 200],
    ['allowed', 401],
    ['foreign', 401],
  ] as const)(
    'reads /metrics without the admin token only where the page is ours: %s answers %i',
    async (origin, status) => {
      const handlers = createDispatch(
        {
          ...{ gateway: nothing, link: nothing, tunnel: nothing, feed: nothing, install: nothing },
          api: () => new Response('hosts'),
          metricsText: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }),
          notReady: () => [],
          verifyAdminToken: () => false,
          isOwnHost: () => true,
          pageOrigin: () => origin,
          takeFeedTicket: () => false,
        },
        pino({ level: 'silent' }),
      );
      const server = createServer(handlers.request({ encrypted: false }));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
      expect((await fetch(url)).status).toBe(status);
      server.closeAllConnections();
      server.close();
    },
  );
});

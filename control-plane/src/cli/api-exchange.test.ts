import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { ApiExchange, type ApiRequest } from './api-exchange.js';

const TIMEOUTS = { headersMs: 5_000, bodyMs: 5_000 };
const REQUEST: ApiRequest = { method: 'GET', path: '/api/v1/hosts', headers: {}, body: null };

describe('an exchange with the control plane', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function listen(answer: RequestListener): Promise<string> {
    const server: Server = createServer(answer).listen(0, '127.0.0.1');
    closing.push(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  async function open(url: string): Promise<ApiExchange> {
    const exchange = await ApiExchange.open(url, '');
    closing.push(() => exchange.close());
    return exchange;
  }

  test('carries method, path, headers and body, and the answer back', async () => {
    const url = await listen(async (request, response) => {
      const { method, url: path, headers } = request;
      const seen = {
        method,
        path,
        host: headers.host,
        token: headers.authorization,
        body: await text(request),
      };
      response.writeHead(201, { 'x-backup-sha256': 'abc' }).end(JSON.stringify(seen));
    });
    const exchange = await open(url);
    const headers = { authorization: 'Bearer t' };
    const answer = await exchange.ask({ ...REQUEST, method: 'POST', headers, body: '{"a":1}' }, TIMEOUTS);
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['x-backup-sha256']).toBe('abc');
    expect(JSON.parse(await text(answer))).toEqual({
      ...{
        method: 'POST',
        path: '/api/v1/hosts',
        host: new URL(url).host,
        token: 'Bearer t',
        body: '{"a":1}',
      },
    });
  });

  test('that nobody answers ends when its time is over', async () => {
    const exchange = await open(await listen(() => undefined));
    await expect(exchange.ask(REQUEST, { headersMs: 50, bodyMs: 0 })).rejects.toThrow(
      'no answer within 0.05 s',
    );
  });

  test('whose answer stops coming ends when the time between two pieces is over', async () => {
    const exchange = await open(await listen((_, response) => void response.write('half')));
    const answer = await exchange.ask(REQUEST, { headersMs: 5_000, bodyMs: 50 });
    await expect(text(answer)).rejects.toThrow('nothing more within 0.05 s');
  });

  test('whose answer is cut off is no whole answer', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    const answer = await (await open(url)).ask(REQUEST, TIMEOUTS);
    await expect(text(answer)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('is refused where nobody listens, and under another protocol', async () => {
    const url = await listen(() => undefined);
    for (const close of closing.splice(0)) close();
    await expect(open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(open('ftp://127.0.0.1')).rejects.toThrow('"ftp:" is neither http: nor https:');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from '../gateway/testing/fake-router.js';
import { TestGateway, until } from '../gateway/testing/test-gateway.js';
import { FrontDoor, RawClient } from './testing/front-door.js';

const ANSWER = '{"choices":[]}';
const BODY = '{"model":"chat-fast"}';
const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';
const LENGTH = `content-length: ${BODY.length}\r\n`;
const CHUNKED = 'transfer-encoding: chunked\r\n';
const CHUNKS = `15\r\n${BODY}\r\n0\r\n\r\n`;

describe('over the real listeners', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let door: FrontDoor;
  let seen: { headers: string[]; body: string }[];
  const clients: RawClient[] = [];

  beforeEach(async () => {
    router = new FakeRouter();
    seen = [];
    test = await new TestGateway(router).start();
    router.addDeployment(
      await test.engine((request, response, body) => {
        seen.push({ headers: request.rawHeaders, body: body.toString() });
        response.writeHead(200, {
          'content-type': 'application/json',
          ...{ 'set-cookie': 'engine=1', 'x-engine': 'secret', trailer: 'x-sum', server: 'uvicorn' },
          ...{ 'proxy-authenticate': 'Basic', 'transfer-encoding': 'chunked' },
        });
        response.end(ANSWER);
      }),
    );
    door = await FrontDoor.open(test.handle);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await door.close();
    await test.close();
  });

  function send(bytes: string | Buffer): RawClient {
    const client = new RawClient(door.port, bytes);
    clients.push(client);
    return client;
  }

  it.each([
    ['both lengths', `${HEAD}${LENGTH}${CHUNKED}\r\n${CHUNKS}`],
    ['both lengths the other way round', `${HEAD}${CHUNKED}${LENGTH}\r\n${CHUNKS}`],
    ['two lengths', `${HEAD}${LENGTH}content-length: 3\r\n\r\n${BODY}`],
    ['two lengths that agree', `${HEAD}${LENGTH}${LENGTH}\r\n${BODY}`],
    ['a list of lengths', `${HEAD}content-length: 21, 21\r\n\r\n${BODY}`],
    ['a length with a sign', `${HEAD}content-length: +21\r\n\r\n${BODY}`],
    ['a negative length', `${HEAD}content-length: -1\r\n\r\n${BODY}`],
    ['a hexadecimal length', `${HEAD}content-length: 0x15\r\n\r\n${BODY}`],
    ['a length beyond all numbers', `${HEAD}content-length: 99999999999999999999999\r\n\r\n${BODY}`],
    ['no number as its length', `${HEAD}content-length: \r\n\r\n${BODY}`],
    ['a folded header', `${HEAD}x-a: b\r\n c\r\n${LENGTH}\r\n${BODY}`],
    ['a folded length', `${HEAD}content-length:\r\n 21\r\n\r\n${BODY}`],
    ['a bare LF behind its first line', `${HEAD.replace('\r\n', '\n')}${LENGTH}\r\n${BODY}`],
    ['a bare LF behind a header', `${HEAD}x-a: b\n${LENGTH}\r\n${BODY}`],
    ['a bare LF as the end of its head', `${HEAD}${LENGTH}\n${BODY}`],
    ['a bare CR in a header', `${HEAD}x-a: b\rc\r\n${LENGTH}\r\n${BODY}`],
    ['a NUL in a header', `${HEAD}x-a: b\0c\r\n${LENGTH}\r\n${BODY}`],
    ['a bare LF behind the size of a chunk', `${HEAD}${CHUNKED}\r\n${CHUNKS.replace('\r\n', '\n')}`],
    ['a bare LF behind a chunk', `${HEAD}${CHUNKED}\r\n15\r\n${BODY}\n0\r\n\r\n`],
    ['a chunk of negative size', `${HEAD}${CHUNKED}\r\n-5\r\n${BODY}\r\n0\r\n\r\n`],
    ['a chunk beyond all sizes', `${HEAD}${CHUNKED}\r\nfffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`],
    ['the encoding identity', `${HEAD}transfer-encoding: identity\r\n${LENGTH}\r\n${BODY}`],
    ['identity behind chunked', `${HEAD}transfer-encoding: chunked, identity\r\n\r\n${CHUNKS}`],
    ['identity in a second header', `${HEAD}${CHUNKED}transfer-encoding: identity\r\n\r\n${CHUNKS}`],
    ['chunked twice', `${HEAD}transfer-encoding: chunked, chunked\r\n\r\n${CHUNKS}`],
    ['another encoding before chunked', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n${CHUNKS}`],
    ['an encoding that is none', `${HEAD}transfer-encoding: xchunked\r\n\r\n${CHUNKS}`],
    ['chunks in HTTP/1.0', `${HEAD.replace('1.1', '1.0')}${CHUNKED}\r\n${CHUNKS}`],
    ['a space before the colon', `${HEAD}content-length : 21\r\n\r\n${BODY}`],
    ['a space before the colon of chunked', `${HEAD}transfer-encoding : chunked\r\n${LENGTH}\r\n${BODY}`],
    ['a space before its first header', `${HEAD.replace('host', ' host')}${LENGTH}\r\n${BODY}`],
    ['a header without a name', `${HEAD}: x\r\n${LENGTH}\r\n${BODY}`],
    ['two hosts', `${HEAD}host: evil\r\n${LENGTH}\r\n${BODY}`],
  ])('a request with %s is refused in the envelope, and its connection ended', async (_what, bytes) => {
    const client = send(`${bytes}GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await until(() => client.isEnded, 'the connection is closed');

    expect(client.statuses).toEqual([400]);
    expect(client.text).toMatch(/^connection: close\r$/im);
    expect(client.text).toMatch(/^x-request-id: req-/m);
    expect(client.json).toMatchObject({ error: { type: 'invalid_request_error', param: null } });
    expect(seen).toEqual([]);
    await until(() => test.gateway.openRequests === 0, 'no request stays open');
  });

  it('nothing of the client’s connection or credentials reaches the engine, nor the engine’s the client', async () => {
    const secrets = [
      'authorization: Bearer the-admin-token',
      'cookie: session=SECRET',
      'proxy-authorization: Basic SECRET',
      'x-api-key: SECRET',
      'connection: x-hop, keep-alive',
      'x-hop: SECRET',
      'keep-alive: timeout=1',
      'te: trailers',
      'trailer: x-sum',
      'x-fabric-host: SECRET',
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ];
    const client = send(`${HEAD}${LENGTH}${secrets.join('\r\n')}\r\n\r\n${BODY}`);
    await until(() => client.text.includes(ANSWER), 'it is answered');

    const [asked] = seen;
    const names = (asked?.headers ?? []).filter((_, index) => index % 2 === 0);
    expect(names.map((name) => name.toLowerCase()).toSorted()).toEqual(
      [
        'accept',
        'connection',
        'content-length',
        'content-type',
        'host',
        'traceparent',
        'user-agent',
      ].toSorted(),
    );
    expect(asked?.headers.join(' ')).not.toMatch(/SECRET|the-admin-token/);
    expect(client.text).not.toMatch(
      /set-cookie|x-engine|trailer|uvicorn|proxy-authenticate|transfer-encoding/i,
    );
  });

  it('requests follow each other on one connection, with a length and in chunks, with trailers and without', async () => {
    const asked = [
      `${HEAD}${LENGTH}\r\n${BODY}`,
      `${HEAD}${CHUNKED}\r\n${CHUNKS}`,
      `${HEAD}${CHUNKED}\r\n5;a="b"\r\n${BODY.slice(0, 5)}\r\n10\r\n${BODY.slice(5)}\r\n0\r\nx-sum: 1\r\n\r\n`,
      `${HEAD}transfer-encoding: Chunked\r\n\r\n${[...BODY].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`,
    ];
    const client = send('');
    for (const [index, bytes] of asked.entries()) {
      client.send(bytes);
      await until(() => client.statuses.length === index + 1, 'it is answered');
    }
    expect(client.statuses).toEqual([200, 200, 200, 200]);
    expect(client.isEnded).toBe(false);
    expect(seen.map(({ body }) => body)).toEqual(Array(4).fill('{"model":"served/replica-1"}'));
  });

  it.each(['//v1/chat/completions', '//chat/completions', '/v1//chat/completions/'])(
    'one whose base URL ended with a slash is served (%s)',
    async (path) => {
      const head = HEAD.replace('/v1/chat/completions', path);
      const client = send(`${head}${LENGTH}\r\n${BODY}`);
      await until(() => client.statuses.length === 1, 'it is answered');
      expect(client.statuses).toEqual([200]);
    },
  );

  it('a connection goes on behind a refusal of a whole request, and ends where the client says so', async () => {
    const client = send(`${HEAD}content-length: 2\r\n\r\n{}`);
    await until(() => client.statuses.length === 1, 'it is refused');
    client.send(`${HEAD}${LENGTH}connection: close\r\n\r\n${BODY}`);
    await until(() => client.isEnded, 'the connection ends');
    expect(client.statuses).toEqual([400, 200]);
  });

  it('what stands behind a body that is longer than it says is no request', async () => {
    const client = send(`${HEAD}${LENGTH}\r\n${BODY}{"model":"chat-fast"}`);
    await until(() => client.isEnded, 'the connection is closed');
    expect(client.statuses.at(-1)).toBe(400);
    expect(seen.length).toBeLessThanOrEqual(1);
    await until(() => router.inflight === 0 && test.gateway.openRequests === 0, 'nothing stays behind');
  });

  it('what is no request behind a stream ends it, and is not answered in its middle', async () => {
    const event = 'data: {"choices":[]}\n\n';
    router.candidates.length = 0;
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(event);
      }),
    );
    const body = '{"model":"chat-fast","stream":true}';
    const client = send(`${HEAD}content-length: ${body.length}\r\n\r\n${body}`);
    await until(() => client.text.includes(event), 'the stream flows');
    client.send('NO REQUEST\r\n\r\n');
    await until(() => client.isEnded, 'the connection is closed');
    expect(client.statuses).toEqual([200]);
    await until(() => router.inflight === 0, 'the slot is free');
  });

  it('a body that ends before its length is a client that left', async () => {
    const client = send(`${HEAD}content-length: 50\r\n\r\n${BODY}`);
    await until(() => test.gateway.openRequests === 1, 'the request is there');
    client.socket.end();
    await until(() => test.gateway.openRequests === 0, 'the request is gone');
    expect(seen).toEqual([]);
    expect(test.records.at(-1)).toMatchObject({ outcome: 'client_gone' });
  });
});

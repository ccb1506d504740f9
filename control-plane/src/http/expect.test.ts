import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from '../gateway/testing/fake-router.js';
import { gatewayKey, TestGateway, until } from '../gateway/testing/test-gateway.js';
import { FrontDoor, RawClient } from './testing/front-door.js';

const BODY = '{"model":"chat-fast"}';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

describe('a client that expects 100-continue', () => {
  let test: TestGateway;
  let door: FrontDoor;
  let seen: string[];
  const clients: RawClient[] = [];

  beforeEach(async () => {
    const router = new FakeRouter();
    seen = [];
    const limits = { requestsPerMinute: 1, tokensPerMinute: null, concurrentRequests: null };
    const anonymous = gatewayKey({ keyId: 'anonymous', name: 'anonymous' });
    const limited = gatewayKey({ keyId: 'one', name: 'one', limits });
    test = await new TestGateway(router, {
      keys: { find: ({ text }) => (text === 'one' ? limited : 'revoked'), anonymous },
    }).start();
    router.addDeployment(
      await test.engine((_request, response, body) => {
        seen.push(body.toString());
        response.setHeader('content-type', 'application/json').end('{"choices":[]}');
      }),
    );
    door = await FrontDoor.open(test.handle);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await door.close();
    await test.close();
  });

  function ask(headers: string, path = '/v1/chat/completions', version = '1.1'): RawClient {
    const client = new RawClient(
      door.port,
      `POST ${path} HTTP/${version}\r\nhost: localhost\r\nexpect: 100-continue\r\n${headers}\r\n`,
    );
    clients.push(client);
    return client;
  }
  const length = `content-length: ${BODY.length}\r\n`;

  it('is told to send its body, once, and answered on a connection that goes on', async () => {
    const client = ask(length);
    await until(() => client.text === CONTINUE, 'it may send');
    client.send(BODY);
    await until(() => client.statuses.includes(200), 'it is answered');
    expect(client.statuses).toEqual([100, 200]);
    expect(seen).toEqual(['{"model":"served/replica-1"}']);
    client.send(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${length}\r\n${BODY}`);
    await until(() => client.statuses.length === 3, 'so is the next');
  });

  it('sends its body without waiting, if it likes', async () => {
    const client = ask(`${length}connection: close\r\n`);
    client.send(BODY);
    await until(() => client.isEnded, 'it is over');
    expect(client.statuses).toEqual([100, 200]);
  });

  it.each<[string, string, string, number, string]>([
    ['too large a body', 'content-length: 99000000\r\n', '/v1/chat/completions', 413, 'request_too_large'],
    [
      'a compressed one',
      `${length}content-encoding: gzip\r\n`,
      '/v1/chat/completions',
      415,
      'unsupported_media_type',
    ],
    [
      'a revoked key',
      `${length}authorization: Bearer old\r\n`,
      '/v1/chat/completions',
      401,
      'invalid_api_key',
    ],
    ['a path that is none', length, '/v1/images', 404, 'unknown_path'],
  ])(
    'is refused without it where it has %s, and its connection ended',
    async (_what, headers, path, status, code) => {
      const client = ask(headers, path);
      await until(() => client.isEnded, 'the connection is closed');
      expect(client.statuses).toEqual([status]);
      expect(client.json).toMatchObject({ error: { code } });
      expect(client.text).toMatch(/^connection: close\r$/im);
    },
  );

  it('is refused without it where its key has used its requests up', async () => {
    const first = ask(`${length}authorization: Bearer one\r\n`);
    await until(() => first.text === CONTINUE, 'it may send');
    first.send(BODY);
    await until(() => first.statuses.includes(200), 'it is answered');
    const second = ask(`${length}authorization: Bearer one\r\n`);
    await until(() => second.isEnded, 'the connection is closed');
    expect(second.statuses).toEqual([429]);
    expect(seen).toHaveLength(1);
  });

  it('is refused while the gateway closes', async () => {
    void test.gateway.close(0);
    const client = ask(length);
    await until(() => client.isEnded, 'the connection is closed');
    expect(client.statuses).toEqual([503]);
  });

  it('gets none in HTTP/1.0, which has no such thing', async () => {
    const client = ask(length, '/v1/chat/completions', '1.0');
    client.send(BODY);
    await until(() => client.isEnded, 'the connection is closed');
    expect(client.statuses).toEqual([200]);
  });

  it('may send to the control API too', async () => {
    const client = ask(length, '/api/v1/hosts');
    await until(() => client.statuses.includes(100), 'it may send');
    client.send(BODY);
    await until(() => client.statuses.includes(200), 'it is answered');
  });
});

it('any other expectation is 417 in the envelope', async () => {
  const door = await FrontDoor.open((_request, response) => void response.end());
  const client = new RawClient(
    door.port,
    'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nexpect: a miracle\r\ncontent-length: 2\r\n\r\n{}',
  );
  await until(() => client.isEnded, 'the connection is closed');
  expect(client.statuses).toEqual([417]);
  expect(client.json).toMatchObject({
    error: { type: 'invalid_request_error', code: 'expectation_failed' },
  });
  await door.close();
});

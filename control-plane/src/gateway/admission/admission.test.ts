import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from '../testing/fake-router.js';
import { ask, errorOf, TestGateway } from '../testing/test-gateway.js';

const BODY = '{"model":"chat-fast","messages":[]}';
const OBSIDIAN = 'app://obsidian.md';

describe('admission', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let asked: number;
  beforeEach(async () => {
    router = new FakeRouter();
    asked = 0;
    test = await new TestGateway(router, {
      allowedOrigins: [OBSIDIAN],
      extraHosts: ['ai.example.org'],
    }).start();
    router.addDeployment(
      await test.engine((_request, response) => {
        asked++;
        response.setHeader('content-type', 'application/json').end('{"choices":[]}');
      }),
    );
  });
  afterEach(() => test.close());

  const post = (headers: Record<string, string>) =>
    ask(`${test.url}/v1/chat/completions`, { body: BODY, headers });

  it.each([{}, { authorization: 'Bearer not-needed' }, { authorization: 'Basic eDp5' }])(
    'lets loopback in with %j',
    async (headers) => {
      expect((await post(headers)).status).toBe(200);
      expect(router.selected[0]?.mayCloud).toBe(true);
    },
  );

  it.each(['x-forwarded-for', 'Forwarded', 'Via', 'X-Real-IP', 'CF-Connecting-IP', 'X-Forwarded-Proto'])(
    'asks for a key where %s says that somebody else stands behind the connection',
    async (name) => {
      const answer = await post({ [name]: '203.0.113.9' });

      expect(answer.status).toBe(401);
      expect(errorOf(answer)).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.headers['x-request-id']).toBeDefined();
      expect(asked).toBe(0);
    },
  );

  it('lets the admin token in from behind a proxy too', async () => {
    const answer = await post({ 'x-forwarded-for': '203.0.113.9', authorization: 'Bearer the-admin-token' });
    expect(answer.status).toBe(200);
  });

  it.each(['evil.test', 'motoko.evil.test', '192.0.2.8'])('refuses what was sent to %s', async (host) => {
    for (const authorization of ['', 'Bearer the-admin-token']) {
      const answer = await post({ host, authorization });

      expect(answer.status).toBe(421);
      expect(errorOf(answer).code).toBe('host_not_allowed');
    }
    expect(asked).toBe(0);
  });

  it.each([
    'localhost',
    'motoko',
    'motoko.local:8000',
    'motoko.tail12.ts.net',
    '127.0.0.1',
    '192.0.2.7',
    'ai.example.org',
  ])('takes what was sent to %s', async (host) => {
    expect((await post({ host })).status).toBe(200);
  });

  it.each([
    { origin: 'https://evil.test' },
    { origin: 'https://evil.test', 'content-type': 'text/plain' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', 'content-type': 'text/plain' },
    { origin: 'https://evil.test', authorization: 'Bearer the-admin-token' },
  ])('lets no web page of a foreign origin spend a token: %j', async (headers) => {
    const answer = await post(headers as Record<string, string>);

    expect(answer.status).toBe(403);
    expect(errorOf(answer).code).toBe('origin_not_allowed');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(asked).toBe(0);
  });

  it('lets a page of an allowed origin read answers, refusals too', async () => {
    const answer = await post({ origin: OBSIDIAN, 'sec-fetch-site': 'cross-site' });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(OBSIDIAN);
    expect(answer.headers['access-control-expose-headers']).toContain('x-fabric-reason');
    expect(answer.headers['vary']).toBe('Origin');

    const refused = await ask(`${test.url}/v1/chat/completions`, {
      body: '{',
      headers: { origin: OBSIDIAN },
    });
    expect(refused.status).toBe(400);
    expect(refused.headers['access-control-allow-origin']).toBe(OBSIDIAN);
  });

  it('takes a page that it served itself', async () => {
    const answer = await post({ origin: test.url, 'sec-fetch-site': 'same-origin' });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('answers the preflight of an allowed origin, into a private network too', async () => {
    const answer = await ask(`${test.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: OBSIDIAN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
        'access-control-request-private-network': 'true',
      },
    });

    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': OBSIDIAN,
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
      'access-control-allow-private-network': 'true',
    });
  });

  it('answers no preflight of a foreign origin', async () => {
    const headers = { origin: 'https://evil.test', 'access-control-request-method': 'POST' };
    const answer = await ask(`${test.url}/v1/chat/completions`, { method: 'OPTIONS', headers });

    expect(answer.status).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('looks at each request of a connection anew, whatever the one before brought', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const next = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request(
          `${test.url}/v1/chat/completions`,
          { method: 'POST', agent, headers: { ...headers, 'x-forwarded-for': '203.0.113.9' } },
          (answer) => {
            ports.add(answer.socket.localPort);
            answer.resume().on('end', () => resolve(answer.statusCode));
          },
        );
        asked.on('error', reject).end(BODY);
      });
    const statuses: (number | undefined)[] = [];
    for (const headers of [
      { authorization: 'Bearer the-admin-token' },
      { authorization: 'Bearer another-token' },
      { authorization: 'Bearer the-admin-token' },
      {},
      { 'x-api-key': 'the-admin-token' },
      { authorization: 'Basic eDp5', 'x-api-key': 'another-token' },
      { authorization: 'Basic eDp5', 'x-api-key': 'the-admin-token' },
      { authorization: 'Bearer another-token', 'x-api-key': 'the-admin-token' },
    ] as Record<string, string>[]) {
      statuses.push(await next(headers));
    }
    agent.destroy();
    expect(statuses).toEqual([200, 401, 200, 401, 200, 401, 200, 401]);
    expect(ports.size).toBe(1);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CloudProvider } from '../harness/cloud-provider.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { errorOf, rawHttp } from '../harness/raw-http.js';

const CHAT = { model: 'openai/cheap', messages: [{ role: 'user', content: 'Hello' }] };

describe('who may spend a token', () => {
  let cloud: CloudProvider;
  let controlPlane: BootedControlPlane;
  let chatUrl: string;

  beforeAll(async () => {
    cloud = await CloudProvider.start();
    const gateway = { allowedOrigins: ['app://obsidian.md'] };
    controlPlane = await BootedControlPlane.boot({
      fabric: fabricYaml({ providers: { openai: cloud.spec }, gateway }),
    });
    chatUrl = `${controlPlane.url}/v1/chat/completions`;
  });
  beforeEach(() => cloud.simulator.forgetRequests());
  afterAll(async () => {
    await controlPlane?.close();
    await cloud?.close();
  });

  test('a program on this machine needs no key', async () => {
    const answer = await rawHttp(chatUrl, { body: CHAT });
    expect(answer.status).toBe(200);
    expect(cloud.simulator.requests).toHaveLength(1);
  });

  test('a key that is none of ours is as good as none where the address is trusted', async () => {
    const answer = await rawHttp(chatUrl, { body: CHAT, headers: { authorization: 'Bearer not-needed' } });
    expect(answer.status).toBe(200);
    // The provider's own key went out, not the client's.
    expect(cloud.simulator.requests[0]?.headers.authorization).not.toContain('not-needed');
  });

  test.each([
    ['with a preflight', 'application/json'],
    // A "simple" request: the browser sends it without asking, and only hides the answer from the page.
    ['without a preflight', 'text/plain'],
  ])('a web page of a foreign origin cannot spend a token, %s', async (_, contentType) => {
    const origin = 'https://evil.example';
    const preflight = await rawHttp(chatUrl, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(preflight.status).toBe(403);
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    const answer = await rawHttp(chatUrl, { body: CHAT, headers: { origin, 'content-type': contentType } });
    expect(answer.status).toBe(403);
    expect(errorOf(answer.text)).toMatchObject({ code: 'origin_not_allowed' });
    expect(errorOf(answer.text).message).toContain('gateway.allowedOrigins');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(cloud.simulator.requests).toHaveLength(0);
  });

  test('the null origin of a sandboxed frame cannot spend a token', async () => {
    const answer = await rawHttp(chatUrl, { body: CHAT, headers: { origin: 'null' } });
    expect(answer.status).toBe(403);
    expect(cloud.simulator.requests).toHaveLength(0);
  });

  test('a foreign page that sends no Origin is known by Sec-Fetch-Site', async () => {
    const answer = await rawHttp(`${controlPlane.url}/v1/models`, {
      method: 'GET',
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.status).toBe(403);
    expect(errorOf(answer.text).code).toBe('origin_not_allowed');
  });

  test('a rebound DNS name cannot spend a token', async () => {
    const answer = await rawHttp(chatUrl, { body: CHAT, headers: { host: 'evil.example' } });
    expect(answer.status).toBe(421);
    expect(errorOf(answer.text).code).toBe('host_not_allowed');
    expect(errorOf(answer.text).message).toContain('gateway.extraHosts');
    expect(cloud.simulator.requests).toHaveLength(0);
  });

  test.each(['x-forwarded-for', 'forwarded', 'x-real-ip'])(
    'behind a proxy (%s) the address is not trusted',
    async (name) => {
      const value = name === 'forwarded' ? 'for=203.0.113.7' : '203.0.113.7';
      const answer = await rawHttp(chatUrl, { body: CHAT, headers: { [name]: value } });
      expect(answer.status).toBe(401);
      expect(errorOf(answer.text).code).toBe('invalid_api_key');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(cloud.simulator.requests).toHaveLength(0);
    },
  );

  test('an allowed app may, and its page may read the answer', async () => {
    const origin = 'app://obsidian.md';
    const preflight = await rawHttp(chatUrl, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe(origin);
    expect(preflight.headers['access-control-allow-headers']).toMatch(/authorization/i);
    const answer = await rawHttp(chatUrl, { body: CHAT, headers: { origin } });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-expose-headers']).toContain('x-fabric-host');
    expect(answer.headers.vary).toMatch(/origin/i);
  });

  test('an allowed app may read its errors too', async () => {
    const origin = 'app://obsidian.md';
    const answer = await rawHttp(chatUrl, { body: { ...CHAT, model: 'nobody' }, headers: { origin } });
    expect(answer.status).toBe(404);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
  });
});

describe('who may operate', () => {
  let controlPlane: BootedControlPlane;
  beforeAll(async () => {
    controlPlane = await BootedControlPlane.boot({ fabric: fabricYaml({}) });
  });
  afterAll(() => controlPlane?.close());

  test.each([
    ['GET', '/hosts'],
    ['POST', '/join-tokens'],
    ['POST', '/hosts/motoko/drain'],
    ['DELETE', '/deployments/chat'],
  ])('%s /api/v1%s needs the admin token, on this machine too', async (method, path) => {
    const url = `${controlPlane.url}/api/v1${path}`;
    for (const headers of [{}, { authorization: 'Bearer not-needed' }]) {
      const answer = await rawHttp(url, { method, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.text)).toMatchObject({
        code: 'unauthorised',
        fix: expect.stringContaining('ai-fabric up'),
      });
    }
  });

  test('a page of any origin is not shown the control API', async () => {
    const answer = await rawHttp(`${controlPlane.url}/api/v1/hosts`, {
      method: 'OPTIONS',
      headers: { origin: 'app://obsidian.md', 'access-control-request-method': 'GET' },
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('the metrics of this machine are not for a rebound DNS name', async () => {
    const url = `${controlPlane.url}/metrics`;
    expect((await rawHttp(url, { method: 'GET' })).status).toBe(200);
    expect((await rawHttp(url, { method: 'GET', headers: { host: 'evil.example' } })).status).toBe(401);
    const authorization = `Bearer ${controlPlane.adminToken}`;
    const asAdmin = await rawHttp(url, { method: 'GET', headers: { host: 'evil.example', authorization } });
    expect(asAdmin.status).toBe(200);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestApi } from './testing/test-api.js';

let api: TestApi;

beforeEach(() => {
  api = new TestApi();
  const { id, secret } = api.registry.tokens.create({ ttlSeconds: 60, nowMs: 1 });
  api.registry.hosts.enrol({
    ...{ tokenId: id, tokenSecret: secret, hostName: 'armitage', publicKey: 'key', nowMs: 1 },
    ...{ machineSha256: 'machine', nameIsLinked: false },
  });
  const hostId = api.registry.hosts.findByName('armitage')?.hostId ?? '';
  const host = { hostId, name: 'armitage', agentVersion: '1', peerAddress: '192.0.2.1', draining: false };
  api.live.hostLinked(host);
});
afterEach(() => api.remove());

describe('a wake over REST', () => {
  test('that cannot be says what stands in the way, and where more of it is', async () => {
    const { status, body } = await api.call('POST', '/hosts/armitage/wake');
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'not_wakeable', detail: 'nobody on its LAN is awake' });
    expect(body.fix).toContain('hosts show armitage');
  });

  test.each([
    ['POST', '/hosts/motoko/wake', 404],
    ['POST', '/hosts/nobody/wake', 404],
    ['POST', '/hosts/armitage/wake?waitSeconds=61', 400],
    ['GET', '/wakes/none', 404],
    ['GET', '/wakes?host=nobody', 404],
    ['GET', '/hosts/armitage/rehearsal', 404],
  ])('%s %s is answered with %i', async (method, path, status) => {
    expect((await api.call(method, path)).status).toBe(status);
  });

  test('rehearses no way that needs no wake', async () => {
    const answer = await api.call('POST', '/hosts/armitage/rehearse', { action: 'container-only' });
    expect(answer.status).toBe(400);
  });
});

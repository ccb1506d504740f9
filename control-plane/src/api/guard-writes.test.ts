import { parseJoinToken } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestApi } from './testing/test-api.js';

const deployment = {
  ...{ host: 'motoko', task: 'chat', engine: 'external', servedModel: 'M' },
  url: 'http://user:hunter2@motoko:8001/?sig=hunter2',
};
const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);
const audit = async (query = '') => (await call('GET', `/audit${query}`)).body.items;

beforeEach(() => {
  api = new TestApi();
});
afterEach(() => api.remove());

describe('the audit log', () => {
  test('says who changed what, when, and what came of it, newest first', async () => {
    await call('PUT', '/roles/code-assist', role, { 'x-request-id': 'mine-1' });
    api.clock.advance(1_000);
    await call('DELETE', '/roles/nobody');
    expect(await audit()).toMatchObject([
      { operationId: 'removeRole', params: { role: 'nobody' }, status: 404, code: 'not_found', body: null },
      {
        ...{ operationId: 'declareRole', params: { role: 'code-assist' }, status: 200, code: null },
        ...{ actor: 'admin token', requestId: 'mine-1', atMs: api.clock.nowMs() - 1_000, body: role },
      },
    ]);
  });

  test('has what was refused before it began, and nothing of who only reads or may not write', async () => {
    await call('PUT', '/roles/x', '{');
    await call('GET', '/roles');
    await call('PUT', '/roles/x', role, { authorization: 'Bearer wrong' });
    expect(await audit()).toMatchObject([{ operationId: 'declareRole', status: 400, code: 'invalid' }]);
  });

  test('holds no secret of what was sent', async () => {
    await call('PUT', '/deployments/second', deployment);
    await call('PUT', '/deployments/second', { ...deployment, apiKey: 'hunter2', password: 'hunter2' });
    expect(JSON.stringify(await audit())).not.toContain('hunter2');
  });

  test('comes in pages, filtered, and refuses the cursor of another filter', async () => {
    for (let count = 0; count < 5; count += 1) await call('DELETE', `/roles/r${count}`);
    await call('DELETE', '/deployments/none');
    const first = await call('GET', '/audit?operationId=removeRole&limit=3');
    const { nextCursor } = first.body;
    const second = await call('GET', `/audit?operationId=removeRole&limit=3&cursor=${nextCursor}`);
    const names = [...first.body.items, ...second.body.items].map((each) => each.params.role);
    expect(names).toEqual(['r4', 'r3', 'r2', 'r1', 'r0']);
    expect(second.body.nextCursor).toBeNull();
    expect(await call('GET', `/audit?limit=3&cursor=${nextCursor}`)).toMatchObject({
      status: 400,
      body: { code: 'cursor_invalid' },
    });
  });

  test('is numbered in the order in which writes were done, also when many come at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `r${index}`);
    await Promise.all(names.map((name) => call('PUT', `/roles/${name}`, role)));
    const { roles } = api.registry.declared.current();
    const logged = (await audit()).map((each: { params: { role: string } }) => each.params.role).reverse();
    expect(logged).toEqual([...roles.keys()].filter((name) => name !== 'chat-fast'));
  });

  test('forgets what is older than 400 days', async () => {
    await call('PUT', '/roles/code-assist', role);
    api.clock.advance(401 * 24 * 3600 * 1000);
    await call('DELETE', '/roles/code-assist');
    expect(await audit()).toMatchObject([{ operationId: 'removeRole' }]);
  });

  test('is there after a restart', async () => {
    await call('PUT', '/roles/code-assist', role);
    await api.restart();
    expect(await audit()).toHaveLength(1);
  });
});

describe('an idempotency key', () => {
  const key = { 'idempotency-key': 'k-1' };

  test('gets the first answer again, and nothing is done twice', async () => {
    const first = await call('DELETE', '/roles/nobody', undefined, key);
    await call('PUT', '/roles/nobody', role);
    const again = await call('DELETE', '/roles/nobody', undefined, key);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect([again.status, again.body, again.type]).toEqual([404, first.body, 'application/problem+json']);
    expect((await call('GET', '/roles/nobody')).status).toBe(200);
    expect(await audit()).toHaveLength(2);
  });

  test('works after a restart too, and for an answer without a body', async () => {
    await call('PUT', '/roles/code-assist', role);
    await call('DELETE', '/roles/code-assist', undefined, key);
    await api.restart();
    const again = await call('DELETE', '/roles/code-assist', undefined, key);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([204, null, 'true']);
  });

  test.each([
    ['another body', 'PUT', '/roles/a', { ...role, totalTimeoutSeconds: 99 }],
    ['another path', 'PUT', '/roles/b', role],
    ['another method', 'DELETE', '/roles/a', undefined],
  ])('of %s is refused', async (_, method, path, body) => {
    await call('PUT', '/roles/a', role, key);
    expect(await call(method, path, body, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused', fix: expect.stringContaining('new key') },
    });
  });

  test('of a request that is under way is refused for the moment', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => call('PUT', '/roles/a', role, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(answers.find(({ status }) => status === 409)).toMatchObject({ body: { code: 'in_flight' } });
    expect((await call('PUT', '/roles/a', role, key)).headers.get('idempotent-replayed')).toBe('true');
  });

  test('of a request that was refused before it began may be used for the right one', async () => {
    expect((await call('PUT', '/roles/a', { ...role, task: 'x' }, key)).status).toBe(400);
    expect((await call('PUT', '/roles/a', role, key)).status).toBe(200);
  });

  test('does not make a secret again: it is neither shown twice nor kept', async () => {
    const { status, body } = await call('POST', '/join-tokens', {}, key);
    expect(status).toBe(201);
    const again = await call('POST', '/join-tokens', {}, key);
    expect(again).toMatchObject({ status: 409, body: { code: 'answer_not_kept' } });
    expect((await call('GET', '/join-tokens')).body.items).toHaveLength(1);
    const { secret } = parseJoinToken(body.token) ?? {};
    const kept = JSON.stringify(api.registry.writes.list({ limit: 10 }));
    expect(kept).not.toContain(secret);
  });

  test('is forgotten after 24 hours', async () => {
    await call('DELETE', '/roles/nobody', undefined, key);
    api.clock.advance(24 * 3600 * 1000);
    expect((await call('PUT', '/roles/a', role, key)).status).toBe(200);
  });

  test('that is no key is refused', async () => {
    expect(await call('PUT', '/roles/a', role, { 'idempotency-key': 'a b' })).toMatchObject({ status: 400 });
    expect(await call('PUT', '/roles/a', role, { 'idempotency-key': 'x'.repeat(256) })).toMatchObject({
      status: 400,
    });
  });

  test('whose request the control plane did not live to answer says that nobody knows', async () => {
    const { writes } = api.registry;
    const write = {
      atMs: api.clock.nowMs(),
      requestId: 'r',
      actor: 'a',
      operationId: 'o',
      params: {},
      body: null,
    };
    writes.begin(write, { keySha256: 'k', fingerprint: 'f' });
    await api.restart();
    expect(api.registry.writes.find('k', api.clock.nowMs())).toMatchObject({ status: null });
    expect(await audit()).toMatchObject([{ status: null }]);
  });
});

describe('a body that is left out', () => {
  test('is taken as an empty one, and checked as such', async () => {
    const send = (path: string, method: string) =>
      api.app.request(`/api/v1${path}`, { method, headers: { authorization: 'Bearer aifa_test' } });
    expect((await send('/join-tokens', 'POST')).status).toBe(201);
    expect((await send('/roles/x', 'PUT')).status).toBe(400);
    const [token] = (await call('GET', '/join-tokens')).body.items;
    expect(token.expiresAtMs - token.createdAtMs).toBe(3_600_000);
  });
});

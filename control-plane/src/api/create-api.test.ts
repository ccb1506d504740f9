import { parseJoinToken } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestRow } from '../registry/testing/request-rows.js';
import { TEST_CERTIFICATE, TEST_TOKEN, TestApi } from './testing/test-api.js';

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);

beforeEach(() => {
  api = new TestApi();
});
afterEach(() => api.remove());

describe('who may call', () => {
  test('nobody without the admin token, and the answer says where it is found', async () => {
    const { status, type, body } = await call('GET', '/hosts', undefined, { authorization: 'Bearer wrong' });
    expect(status).toBe(401);
    expect(type).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'unauthorised', detail: 'the admin token is wrong' });
    expect(body.fix).toContain('ai-fabric up');
    expect((await api.app.request('/api/v1/hosts')).status).toBe(401);
  });

  test('anybody reads the document itself', async () => {
    expect((await api.app.request('/api/v1/openapi.json')).status).toBe(200);
  });
});

describe('what fails', () => {
  test('is told apart by code, and named by the id of its request', async () => {
    const answer = await api.app.request('/api/v1/hosts/nobody', {
      headers: { authorization: `Bearer ${TEST_TOKEN}`, 'x-request-id': 'mine-1' },
    });
    expect(answer.headers.get('x-request-id')).toBe('mine-1');
    expect(await answer.json()).toMatchObject({
      type: 'urn:ai-fabric:problem:not_found',
      title: 'There is no such thing',
      status: 404,
      code: 'not_found',
      instance: 'urn:ai-fabric:request:mine-1',
    });
  });

  test.each([
    ['GET', '/nowhere', 404, 'not_found', null],
    ['POST', '/hosts', 405, 'method_not_allowed', 'GET, HEAD'],
    ['PATCH', '/roles/chat-fast', 405, 'method_not_allowed', 'DELETE, GET, HEAD, PUT'],
    ['OPTIONS', '/hosts/motoko/drain', 405, 'method_not_allowed', 'POST'],
  ])('%s %s is a %i', async (method, path, status, code, allow) => {
    const answer = await api.app.request(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TEST_TOKEN}` },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ status, code });
  });

  test.each([
    ['/requests?rol=chat-fast', 'query rol: there is no such parameter here', 'did you mean role?'],
    ['/status?verbose=1', 'query verbose: there is no such parameter here', 'it takes none'],
  ])('for a query parameter that is none is a 400: %s', async (path, detail, fix) => {
    expect(await call('GET', path)).toMatchObject({ status: 400, body: { code: 'invalid', detail, fix } });
  });

  test.each([
    ['POST', '/join-tokens', { ttlSeconds: 5 }, 'body ttlSeconds: expected at least 60, found 5'],
    ['POST', '/join-tokens', { ttlSeconds: 'soon' }, 'body ttlSeconds: expected a number, found "soon"'],
    ['PUT', '/log-level', { level: 'debgu' }, '(did you mean "debug"?), found "debgu"'],
    ['PUT', '/log-level', { levle: 'info' }, 'body levle: unknown key "levle"; did you mean "level"?'],
    ['PUT', '/log-level', {}, 'body level: missing; expected'],
    ['PUT', '/log-level', 'info', 'body: expected a mapping (name: value), found "info"'],
    ['GET', '/requests?limit=many', undefined, 'query limit: expected a number, found "many"'],
    ['GET', '/requests?limit=5000', undefined, 'query limit: expected at most 1000, found "5000"'],
    ['GET', '/requests?from=today', undefined, 'query from: expected milliseconds since 1970, or ISO 8601'],
  ])('%s %s with %j names the field, what was expected and what came', async (method, path, sent, detail) => {
    const { status, body } = await call(method, path, sent === undefined ? undefined : JSON.stringify(sent));
    expect([status, body.code]).toEqual([400, 'invalid']);
    expect(body.detail).toContain(detail);
  });

  test('for its size is a 413', async () => {
    expect(
      await call('PUT', '/roles/chat-fast', 'x'.repeat(10), { 'content-length': '9999999' }),
    ).toMatchObject({ status: 413, body: { code: 'too_large' } });
  });
});

describe('hosts', () => {
  test('declared ones are listed before they ever joined', async () => {
    const { body } = await call('GET', '/hosts');
    expect(body.items.map((each: { name: string; presence: string }) => [each.name, each.presence])).toEqual([
      ['armitage', 'unseen'],
      ['motoko', 'unseen'],
    ]);
  });

  test('an unknown one is a 404 that names those that are known', async () => {
    expect((await call('GET', '/hosts/armitag')).body.detail).toContain('armitage, motoko');
  });

  test('a host that never joined cannot be drained', async () => {
    expect(await call('POST', '/hosts/armitage/drain')).toMatchObject({ status: 404 });
  });

  test('telemetry answers with what is there: nothing, of a host that never joined', async () => {
    const { body } = await call('GET', '/hosts/motoko/telemetry');
    expect(body).toMatchObject({ host: 'motoko', stretches: [], stepMs: 60_000 });
    expect(new Set(body.points.map((point: { state: string }) => point.state))).toEqual(new Set(['silent']));
  });

  test.each([
    ['from=1h&to=2h', '"from" is after "to"'],
    ['from=yesterday', '"from" is no time: "yesterday"'],
    ['from=1h&step=1s', '3600 points; at most 2000'],
    ['from=1h&step=fast', '"step" is no length of time'],
    ['fields=gpu.watts', 'no field "gpu.watts"'],
  ])('telemetry with %s is refused', async (query, detail) => {
    const { status, body } = await call('GET', `/hosts/motoko/telemetry?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid']);
    expect(body.detail).toContain(detail);
    expect(body.fix).toBeTruthy();
  });

  test('telemetry of ten years is that of the 400 days that are kept, and says so', async () => {
    const { status, body } = await call('GET', '/hosts/motoko/telemetry?from=3650d');
    expect(status).toBe(200);
    expect(body.notes[0]).toContain('kept for 400 days');
    expect(body.toMs - body.fromMs).toBe(400 * 86_400_000);
    expect(body.resolution).toBe('2h');
    expect(body.points.length).toBeLessThanOrEqual(2_000);
  });
});

describe('listings', () => {
  test('come in pages that name the next one', async () => {
    const first = await call('GET', '/hosts?limit=1');
    expect(first.body.items).toMatchObject([{ name: 'armitage' }]);
    const second = await call('GET', `/hosts?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ name: 'motoko' }], nextCursor: null });
  });

  test('refuse the cursor of another listing, and a limit out of bounds', async () => {
    const { nextCursor } = (await call('GET', '/hosts?limit=1')).body;
    for (const path of ['/roles', '/deployments', '/join-tokens']) {
      expect(await call('GET', `${path}?cursor=${nextCursor}`)).toMatchObject({
        status: 400,
        body: { code: 'cursor_invalid', fix: expect.stringContaining('first page') },
      });
    }
    for (const limit of ['0', '1001', '1.5', 'x', '']) {
      expect(await call('GET', `/hosts?limit=${limit}`)).toMatchObject({ status: 400 });
    }
  });
});

describe('declared state over REST', () => {
  const deployment = {
    host: 'motoko',
    task: 'chat',
    engine: 'external',
    url: 'http://motoko:8001',
    servedModel: 'M',
  };

  test('a deployment is declared, and the same again changes nothing', async () => {
    expect(await call('PUT', '/deployments/second', deployment)).toMatchObject({
      status: 200,
      body: { name: 'second', maxConcurrent: 16, observed: null },
    });
    const { revision } = api.registry.declared.current();
    await call('PUT', '/deployments/second', deployment);
    expect(api.registry.declared.current().revision).toBe(revision);
  });

  test.each([
    ['an unknown host', { ...deployment, host: 'motokko' }, 'motoko'],
    ['an unknown field', { ...deployment, gpu: 1 }, 'gpu'],
    ['a missing field', { host: 'motoko', engine: 'external' }, 'task'],
    ['a missing engine', { host: 'motoko' }, 'expected external or vllm'],
    ['no JSON', '{', 'JSON'],
  ])('%s is refused by name and nothing is changed', async (_, body, named) => {
    const { revision } = api.registry.declared.current();
    const answer = await call('PUT', '/deployments/second', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(answer.body.detail).toContain(named);
    expect(api.registry.declared.current().revision).toBe(revision);
  });

  test('a body that is not declared as JSON is a 415 that says how', async () => {
    const answer = await api.app.request('/api/v1/deployments/second', {
      method: 'PUT',
      headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      fix: expect.stringContaining('content-type: application/json'),
    });
  });

  test('what is still used cannot be removed, and the answer names its users', async () => {
    const used = await call('DELETE', '/deployments/qwen');
    expect(used).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect(used.body.detail).toContain('role chat-fast');
    expect((await call('DELETE', '/roles/chat-fast')).body.detail).toContain('local/chat');
  });

  test('a role is declared, shown with its live state, and removed', async () => {
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }] };
    expect(await call('PUT', '/roles/code-assist', role)).toMatchObject({
      status: 200,
      body: { name: 'code-assist', targets: [{ deployment: 'qwen' }], state: 'away', aliases: [] },
    });
    expect((await call('DELETE', '/roles/code-assist')).status).toBe(204);
    expect((await call('GET', '/roles/code-assist')).status).toBe(404);
  });
});

describe('the whole declared state over REST', () => {
  const document = { version: 1, hosts: { motoko: {}, wintermute: {} } };

  test('is read, planned against and applied as one document', async () => {
    const read = await call('GET', '/declared');
    expect(read.body).toMatchObject({ revision: 1, document: { aliases: { 'local/chat': 'chat-fast' } } });
    const plan = await call('POST', '/declared/plan', { document });
    expect(plan).toMatchObject({
      status: 200,
      body: { revision: 1, changes: [{ change: 'added', kind: 'host', name: 'wintermute' }] },
    });
    expect(plan.body.notInFile).toContainEqual({ kind: 'role', name: 'chat-fast' });
    const body = { document, expectedRevision: 1 };
    expect(await call('POST', '/declared/apply', body)).toMatchObject({
      status: 200,
      body: { changed: true, revision: 2 },
    });
    expect(await call('POST', '/declared/apply', body)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    const { hosts } = (await call('GET', '/declared')).body.document;
    expect(Object.keys(hosts).sort()).toEqual(['armitage', 'motoko', 'wintermute']);
    expect(hosts).toMatchObject({
      armitage: { mayBeAway: true },
      motoko: { mayBeAway: false },
      wintermute: { mayBeAway: false },
    });
  });

  test.each([
    ['no document', {}],
    ['an unknown member', { document, expectedRevision: 1, force: true }],
    ['a document with a mistake', { document: { version: 1, host: {} }, expectedRevision: 1 }],
    ['no revision', { document }],
  ])('%s is refused and nothing is applied', async (_, body) => {
    expect(await call('POST', '/declared/apply', body)).toMatchObject({ status: 400 });
    expect(api.registry.declared.current().revision).toBe(1);
  });

  test('drift is told of the hosts, and of a document that is sent', async () => {
    const { body } = await call('GET', '/declared/drift');
    expect(body.file).toBeNull();
    expect(body.hosts.map(({ code, host }: { code: string; host: string }) => `${host} ${code}`)).toEqual([
      'armitage host_never_joined',
      'motoko host_never_joined',
    ]);
    const sent = await call('POST', '/declared/drift', { document });
    expect(sent.body.file).toMatchObject({ name: null, plan: { changes: [{ name: 'wintermute' }] } });
    expect(await call('POST', '/declared/drift', { document: {} })).toMatchObject({ status: 400 });
  });
});

describe('join tokens', () => {
  test('a token is shown once, carries the pinned certificate, and can be revoked once', async () => {
    const { status, body } = await call('POST', '/join-tokens', { hostName: 'armitage', ttlSeconds: 60 });
    expect(status).toBe(201);
    expect(parseJoinToken(body.token)).toMatchObject({ id: body.id, certificateSha256: TEST_CERTIFICATE });
    const listed = await call('GET', '/join-tokens');
    expect(listed.body.items).toMatchObject([{ id: body.id, hostName: 'armitage', state: 'unused' }]);
    expect(JSON.stringify(listed.body)).not.toContain(parseJoinToken(body.token)?.secret);
    expect((await call('DELETE', `/join-tokens/${body.id}`)).status).toBe(204);
    expect((await call('DELETE', `/join-tokens/${body.id}`)).status).toBe(404);
  });

  test.each([[{ ttlSeconds: 1 }], [{ ttlSeconds: 1e9 }], [{ hostName: 'My Host' }], [{ other: 1 }]])(
    '%j is refused',
    async (body) => {
      expect(await call('POST', '/join-tokens', body)).toMatchObject({ status: 400 });
    },
  );
});

describe('a request that is over', () => {
  const considered = [{ target: 'a', verdict: 'chosen', costSeconds: null }];
  const rounds = [{ reason: 'least_cost', considered, failure: null }];

  test('is explained from memory while the registry has no row of it', async () => {
    expect((await call('GET', '/requests/req-new')).status).toBe(404);
    api.decisions.append(requestRow({ requestId: 'req-new', target: 'a', rounds }));
    const { status, body } = await call('GET', '/requests/req-new');
    expect(status).toBe(200);
    expect(body).toMatchObject({ requestId: 'req-new', sequence: 0 });
    expect(body.explanation.whyHere).toContain('went to a on armitage');
  });

  test('of an id that came again, is the later one', async () => {
    const endedAtMs = api.clock.nowMs();
    api.registry.requestLog.append(requestRow({ requestId: 'twice', endedAtMs, role: 'first' }));
    await api.restart();
    expect((await call('GET', '/requests/twice')).body).toMatchObject({ role: 'first', sequence: 1 });
    api.decisions.append(requestRow({ requestId: 'twice', endedAtMs: endedAtMs + 1, role: 'second' }));
    expect((await call('GET', '/requests/twice')).body).toMatchObject({ role: 'second', sequence: 0 });
  });
});

describe('keys', () => {
  test('a key is made with what it may, shown once, and found by name and by id', async () => {
    const limits = { requestsPerMinute: 60 };
    const { status, body } = await call('POST', '/keys', {
      ...{ name: 'obsidian', roles: ['local/chat'], mayCloud: true, limits },
    });
    expect(status).toBe(201);
    expect(body.secret).toMatch(/^sk-fabric-/);
    expect(body.key).toMatchObject({
      ...{ name: 'obsidian', state: 'active', roles: ['local/chat'], mayCloud: true, mayWake: false },
      limits: { requestsPerMinute: 60, tokensPerMinute: null, concurrentRequests: null },
      hint: `${body.secret.slice(0, 14)}…`,
    });
    for (const key of ['obsidian', body.key.id]) {
      expect((await call('GET', `/keys/${key}`)).body).toEqual(body.key);
    }
    const listed = await call('GET', '/keys');
    expect(listed.body.items.map(({ name }: { name: string }) => name)).toEqual(['anonymous', 'obsidian']);
    expect(JSON.stringify(listed.body)).not.toContain(body.secret);
  });

  test('a change leaves what it does not name, and takes limits off again', async () => {
    await call('POST', '/keys', { name: 'ci', limits: { requestsPerMinute: 5, tokensPerMinute: 0 } });
    expect((await call('PATCH', '/keys/ci', { limits: { tokensPerMinute: null } })).body).toMatchObject({
      limits: { requestsPerMinute: 5, tokensPerMinute: null },
      mayCloud: false,
    });
    expect((await call('PATCH', '/keys/ci', { roles: ['chat-fast'], mayWake: true })).body).toMatchObject({
      ...{ roles: ['chat-fast'], mayWake: true, limits: { requestsPerMinute: 5 } },
    });
    expect((await call('PATCH', '/keys/anonymous', { mayCloud: false })).body).toMatchObject({
      ...{ name: 'anonymous', mayCloud: false, hint: null },
    });
  });

  test('a new secret comes with the time that the one before has left', async () => {
    const { body } = await call('POST', '/keys', { name: 'ci' });
    const rotated = await call('POST', '/keys/ci/rotate', { graceSeconds: 60 });
    expect(rotated.status).toBe(200);
    expect(rotated.body.secret).not.toBe(body.secret);
    expect(rotated.body.key.previousValidUntilMs).toBe(api.clock.nowMs() + 60_000);
    expect((await call('DELETE', '/keys/ci')).status).toBe(204);
    expect((await call('GET', '/keys/ci')).body).toMatchObject({ state: 'revoked' });
    expect(await call('DELETE', '/keys/ci')).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await call('POST', '/keys/ci/rotate', {})).toMatchObject({ status: 409 });
  });

  test.each([
    ['POST', '/keys', { name: 'ci', roles: ['chat-fats'] }, 400],
    ['POST', '/keys', { name: 'ci', limits: { requestsPerMinute: -1 } }, 400],
    ['POST', '/keys', { name: 'ci', limits: { perHour: 1 } }, 400],
    ['POST', '/keys', { name: 'ci', expiresAtMs: 1 }, 400],
    ['POST', '/keys', { name: 'My key' }, 400],
    ['POST', '/keys', { name: 'anonymous' }, 409],
    ['DELETE', '/keys/anonymous', undefined, 409],
    ['DELETE', '/keys/nobody', undefined, 404],
    ['PATCH', '/keys/nobody', {}, 404],
    ['POST', '/keys/anonymous/rotate', {}, 409],
    ['POST', '/keys/anonymous/rotate', { graceSeconds: -1 }, 400],
  ])('%s %s %j is a %i', async (method, path, body, status) => {
    expect((await call(method, path, body)).status).toBe(status);
  });

  test('a name that nobody declared is refused with the nearest', async () => {
    const { body } = await call('POST', '/keys', { name: 'ci', roles: ['chat-fats'] });
    expect(body).toMatchObject({
      detail: expect.stringContaining('"chat-fats"'),
      fix: expect.stringContaining('nearest: chat-fast'),
    });
  });
});

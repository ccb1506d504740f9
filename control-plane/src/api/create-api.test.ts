import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJoinToken } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import { LiveState } from '../live/live-state.js';
import { openRegistry } from '../registry/open-registry.js';
import type { Registry } from '../registry/registry-types.js';
import { createRouter, type RunningRouter } from '../router/create-router.js';
import { createApi } from './create-api.js';

const FABRIC = `
version: 1
hosts: { motoko: {}, armitage: { mayBeAway: true } }
deployments:
  qwen: { host: armitage, task: chat, engine: external, url: 'http://127.0.0.1:1', servedModel: Qwen }
roles:
  chat-fast: { task: chat, targets: [{ deployment: qwen }] }
aliases: { local/chat: chat-fast }
`;
const TOKEN = 'aifa_test';
const CERTIFICATE = 'ab'.repeat(32);

let directory: string;
let registry: Registry;
let router: RunningRouter;
let live: LiveState;
let api: ReturnType<typeof createApi>;
const clock = new ManualClock();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ai-fabric-api-'));
  const log = pino({ level: 'silent' });
  registry = openRegistry({ dataDirectory: directory, clock, log });
  const parsed = parseFabricText(FABRIC, 'fabric.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  registry.declared.replace(parsed.state, 0);
  live = new LiveState({ clock, log });
  live.seed([], registry.declared.current());
  registry.declared.onChange((state) => live.applyDeclared(state));
  const { declared, hosts, tokens } = registry;
  router = createRouter({ declared, live, secrets: { has: () => false }, clock, random: () => 0, log });
  api = createApi(
    {
      ...{ clock, live, router, tokens, declared, certificateSha256: CERTIFICATE },
      status: () => ({
        ...{ startedAtMs: 1, linkedHosts: 0, feedSubscribers: 0, droppedObservations: 0 },
        fabricFileDiffers: false,
      }),
      serverUrls: () => ['https://motoko:8443'],
      checks: {
        doctor: () => Promise.reject(new Error('not here')),
        smoke: () => Promise.reject(new Error('not here')),
        last: () => ({ doctor: null, smoke: null }),
        nextAtMs: () => null,
        bundle: () => {
          throw new Error('not here');
        },
        webhook: () => ({ lastPostedAtMs: null, lastProblem: null }),
      },
      verifyAdminToken: (presented) => presented === TOKEN,
      setDraining: (name, draining) => {
        if (hosts.setDraining(name, draining)) live.setDraining(name, draining);
      },
    },
    log,
  );
});

afterEach(async () => {
  router.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: unknown, token = TOKEN) {
  const answer = await api.request(`/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: text === '' ? null : JSON.parse(text),
  };
}

describe('who may call', () => {
  test('nobody without the admin token, and the answer says where it is found', async () => {
    const { status, type, body } = await call('GET', '/hosts', undefined, 'wrong');
    expect(status).toBe(401);
    expect(type).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'unauthorised', detail: 'the admin token is wrong' });
    expect(body.fix).toContain('ai-fabric up');
    expect((await api.request('/api/v1/hosts')).status).toBe(401);
  });

  test('the document itself is open, and describes every path', async () => {
    const document = (await (await api.request('/api/v1/openapi.json')).json()) as {
      paths: object;
      openapi: string;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/v1/deployments',
      '/api/v1/deployments/{deployment}',
      '/api/v1/hosts',
      '/api/v1/hosts/{host}',
      '/api/v1/hosts/{host}/drain',
      '/api/v1/hosts/{host}/telemetry',
      '/api/v1/hosts/{host}/undrain',
      '/api/v1/join-tokens',
      '/api/v1/join-tokens/{id}',
      '/api/v1/roles',
      '/api/v1/roles/{role}',
      '/api/v1/status',
    ]);
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

  test('telemetry answers with what is there, and refuses a range that ends before it begins', async () => {
    const { body } = await call('GET', '/hosts/motoko/telemetry');
    expect(body.items).toEqual([]);
    expect(await call('GET', '/hosts/motoko/telemetry?fromMs=2&toMs=1')).toMatchObject({
      status: 400,
      body: { code: 'invalid' },
    });
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
    const { revision } = registry.declared.current();
    await call('PUT', '/deployments/second', deployment);
    expect(registry.declared.current().revision).toBe(revision);
  });

  test.each([
    ['an unknown host', { ...deployment, host: 'motokko' }, 'motoko'],
    ['an unknown field', { ...deployment, gpu: 1 }, 'gpu'],
    ['a missing field', { host: 'motoko' }, 'task'],
    ['no JSON', '{', 'JSON'],
  ])('%s is refused by name and nothing is changed', async (_, body, named) => {
    const { revision } = registry.declared.current();
    const answer = await call('PUT', '/deployments/second', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(answer.body.detail).toContain(named);
    expect(registry.declared.current().revision).toBe(revision);
  });

  test('a body that is not declared as JSON is a 415 that says how', async () => {
    const answer = await api.request('/api/v1/deployments/second', {
      method: 'PUT',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/plain' },
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

describe('join tokens', () => {
  test('a token is shown once, carries the pinned certificate, and can be revoked once', async () => {
    const { status, body } = await call('POST', '/join-tokens', { hostName: 'armitage', ttlSeconds: 60 });
    expect(status).toBe(201);
    expect(parseJoinToken(body.token)).toMatchObject({ id: body.id, certificateSha256: CERTIFICATE });
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

import { DEFAULT_AGENT_POLICY, describeReplica, type ReplicaStatus, tellPolicy } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inventory as anInventory } from '../live/testing/live-fixtures.js';
import { hostAnswer } from './testing/fake-host-calls.js';
import { TestApi } from './testing/test-api.js';

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);
const entry = { host: 'armitage', engine: 'vllm', task: 'chat', model: 'Qwen/Qwen2.5-7B-Instruct-AWQ' };

beforeEach(() => {
  api = new TestApi();
});
afterEach(() => api.remove());

function create(name = 'phi', more: object = {}) {
  return call('POST', '/deployments', { name, deployment: { ...entry, ...more } });
}

function report(
  status: Pick<ReplicaStatus, 'deployment' | 'phase'> & Partial<ReplicaStatus>,
  more = {},
): void {
  const { clock, live } = api;
  live.hostLinked({
    ...{ hostId: 'h1', name: 'armitage', agentVersion: '0.1.0', peerAddress: '192.0.2.1', draining: false },
  });
  live.takeReport('armitage', { clockSkewMs: 0, samples: [], replicas: [describeReplica(status)], ...more });
  clock.advance(0);
}

describe('a new deployment', () => {
  test('is declared with what its preset and defaults say', async () => {
    const deployment = { host: 'armitage', engine: 'vllm', preset: 'chat-fast' };
    const { status, body } = await call('POST', '/deployments', { name: 'phi', deployment });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...{ name: 'phi', host: 'armitage', engine: 'vllm', task: 'chat', preset: 'chat-fast' },
      ...{ wish: 'running', restartCount: 0, reach: 'tunnel', tunnelUp: false, servedModel: 'phi' },
      ...{ observed: null, hostPresence: 'unseen', issues: [], roles: [] },
    });
    expect(body.model).toMatch(/.+\/.+/);
    expect((await call('GET', '/deployments/phi')).body).toEqual(body);
  });

  test('is refused as fabric.yaml would be, and nothing is declared', async () => {
    const hostile = await create('phi', { model: '../../etc/passwd' });
    expect(hostile).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(hostile.body.detail).toContain('deployments.phi.model: expected a Hugging Face model');
    const mistyped = await create('phi', { host: 'armitag' });
    expect(mistyped.body.detail).toMatch(/deployments\.phi\.host: unknown host "armitag".*armitage/);
    expect(await call('GET', '/deployments/phi')).toMatchObject({ status: 404 });
    expect(api.registry.declared.current().revision).toBe(1);
  });

  test.each([
    ['a name that is taken', { name: 'qwen', deployment: entry }, 409],
    ['no name', { deployment: entry }, 400],
    ['a name that is none', { name: 'My model', deployment: entry }, 400],
    ['an unknown member', { name: 'phi', deployment: entry, force: true }, 400],
    ['an unknown field', { name: 'phi', deployment: { ...entry, privileged: true } }, 400],
    ['another revision', { name: 'phi', deployment: entry, expectedRevision: 7 }, 409],
  ])('with %s is refused', async (_, body, status) => {
    expect(await call('POST', '/deployments', body)).toMatchObject({ status });
    expect(api.registry.declared.current().revision).toBe(1);
  });
});

describe('a plan', () => {
  test('warns of what the policy that the agent of the host told will refuse', async () => {
    const deployments = { phi: entry };
    const document = { version: 1, hosts: { armitage: {} }, deployments };
    const warnings = async () =>
      (await call('POST', '/declared/plan', { document, prune: false })).body.warnings;
    expect(await warnings()).toEqual([]);
    const inventory = { ...anInventory, policy: { ...tellPolicy(DEFAULT_AGENT_POLICY), models: ['BAAI/*'] } };
    report({ deployment: 'qwen', phase: 'ready' }, { inventory });
    expect(await warnings()).toMatchObject([
      { code: 'policy_would_refuse', message: expect.stringContaining('"phi" (models: Qwen/') },
    ]);
    api.live.hostUnlinked('armitage', true, 'shutdown');
    expect(await warnings()).toHaveLength(1);
  });
});

describe('a change', () => {
  test('replaces what it names, and gives a field its default again', async () => {
    await create();
    const changed = await call('PATCH', '/deployments/phi', { changes: { contextTokens: 8192, gpu: 0 } });
    expect(changed.body).toMatchObject({ contextTokens: 8192, gpu: { select: 'index', index: 0 } });
    const unset = await call('PATCH', '/deployments/phi', { changes: { contextTokens: null, gpu: null } });
    expect(unset.body).toMatchObject({ contextTokens: null, gpu: { select: 'any' }, model: entry.model });
  });

  test('to another preset brings its model', async () => {
    const first = await create('phi', { preset: 'chat-fast', task: undefined, model: undefined });
    const second = await call('PATCH', '/deployments/phi', { changes: { preset: 'embeddings-general' } });
    expect(second.body.task).toBe('embeddings');
    expect(second.body.model).not.toBe(first.body.model);
  });

  test.each([
    ['on another revision', { changes: { contextTokens: 1 }, expectedRevision: 9 }, 409],
    ['to something impossible', { changes: { reach: 'direct', port: null } }, 400],
    ['to a secret in clear', { changes: { environment: { HF_TOKEN: { secret: 'x' } } } }, 400],
  ])('%s is refused', async (_, body, status) => {
    await create();
    expect(await call('PATCH', '/deployments/phi', body)).toMatchObject({ status });
    expect(api.registry.declared.current().revision).toBe(2);
  });
});

describe('verbs', () => {
  test('say what is wished, persist, and are in the audit log', async () => {
    await create('phi', { parkable: true });
    for (const [verb, wish] of [
      ['stop', 'stopped'],
      ['start', 'running'],
      ['park', 'parked'],
      ['unpark', 'running'],
    ]) {
      const { status, body } = await call('POST', `/deployments/phi/${verb}`);
      expect([verb, status, body.wish]).toEqual([verb, 200, wish]);
    }
    expect((await call('POST', '/deployments/phi/restart')).body).toMatchObject({ restartCount: 1 });
    await api.restart();
    expect((await call('GET', '/deployments/phi')).body).toMatchObject({ wish: 'running', restartCount: 1 });
    const { body } = await call('GET', '/audit?operationId=parkDeployment');
    expect(body.items).toMatchObject([{ params: { deployment: 'phi' }, status: 200 }]);
  });

  test('said twice change nothing the second time', async () => {
    await create();
    await call('POST', '/deployments/phi/stop');
    const { revision } = api.registry.declared.current();
    await call('POST', '/deployments/phi/stop');
    expect(api.registry.declared.current().revision).toBe(revision);
  });

  test('a restart that is sent twice under one key is one restart', async () => {
    await create();
    const again = () =>
      call('POST', '/deployments/phi/restart', undefined, { 'idempotency-key': 'restart-1' });
    await again();
    expect((await again()).body).toMatchObject({ restartCount: 1 });
  });

  test('are refused for what somebody else runs, for what cannot be parked, and for nothing', async () => {
    expect(await call('POST', '/deployments/qwen/stop')).toMatchObject({
      status: 409,
      body: { code: 'not_managed', fix: expect.stringContaining('where it runs') },
    });
    await create();
    expect(await call('POST', '/deployments/phi/park')).toMatchObject({
      status: 400,
      body: { fix: expect.stringContaining('deployments stop phi') },
    });
    expect(await call('POST', '/deployments/nobody/stop')).toMatchObject({ status: 404 });
  });

  test('adopt is refused where the host has no such container, and nothing is changed', async () => {
    await create();
    report({ deployment: 'phi', phase: 'ready' });
    const containers = [
      { name: 'vllm-armitage', deployment: null },
      { name: 'ai-fabric-other', deployment: 'other' },
    ];
    api.hostCalls.answer = async () => hostAnswer(200, JSON.stringify({ containers }));
    const mistyped = await call('POST', '/deployments/phi/adopt', { container: 'vllm-armitge' });
    expect(mistyped).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(mistyped.body.detail).toMatch(/armitage".*did you mean vllm-armitage\?/);
    const taken = await call('POST', '/deployments/phi/adopt', { container: 'ai-fabric-other' });
    expect(taken).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect((await call('GET', '/deployments/phi')).body.adopt).toBeNull();
    const adopted = await call('POST', '/deployments/phi/adopt', { container: 'vllm-armitage' });
    expect(adopted.body).toMatchObject({ adopt: 'vllm-armitage' });
    expect(api.hostCalls.asked[0]?.request).toEqual({ method: 'GET', path: '/agent/v1/containers' });
  });

  test.each([
    ['an older agent', () => hostAnswer(404, 'path_not_allowed')],
    ['its container engine away', () => hostAnswer(409, '{"code":"unreachable","detail":"no socket"}')],
    ['nonsense', () => hostAnswer(200, '<html>')],
  ])('adopt believes its caller where the host cannot tell: %s', async (_, answer) => {
    await create();
    api.hostCalls.answer = async () => answer();
    const adopted = await call('POST', '/deployments/phi/adopt', { container: 'vllm-armitage' });
    expect(adopted).toMatchObject({ status: 200, body: { adopt: 'vllm-armitage' } });
  });

  test('adopt names a container, and lets it go again', async () => {
    await create();
    const adopted = await call('POST', '/deployments/phi/adopt', { container: 'vllm-armitage' });
    expect(adopted.body).toMatchObject({ adopt: 'vllm-armitage' });
    expect(await create('second', { adopt: 'vllm-armitage' })).toMatchObject({ status: 400 });
    expect((await call('POST', '/deployments/phi/adopt', { container: null })).body.adopt).toBeNull();
    expect(await call('POST', '/deployments/phi/adopt', { container: '../x' })).toMatchObject({
      status: 400,
    });
  });
});

describe('removing', () => {
  test('is refused while a role has it, unless all its roles are named', async () => {
    await create();
    const role = { task: 'chat', targets: [{ deployment: 'qwen' }, { deployment: 'phi' }] };
    await call('PUT', '/roles/code-assist', role);
    const refused = await call('DELETE', '/deployments/phi');
    expect(refused).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect(refused.body.fix).toContain('--from-roles');
    expect(await call('DELETE', '/deployments/phi?roles=chat-fast')).toMatchObject({ status: 409 });
    expect(await call('DELETE', '/deployments/phi?roles=code-assist')).toMatchObject({ status: 204 });
    expect((await call('GET', '/roles/code-assist')).body.targets).toEqual([{ deployment: 'qwen' }]);
  });

  test('leaves no role without a target', async () => {
    const refused = await call('DELETE', '/deployments/qwen?roles=chat-fast');
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(refused.body.detail).toContain('roles.chat-fast.targets');
    expect(await call('GET', '/deployments/qwen')).toMatchObject({ status: 200 });
  });
});

describe('what is observed', () => {
  test('comes whole, with issues of its own and the time of its phase, and without the engine’s key', async () => {
    await create();
    const about = { severity: 'warning', detail: 'It loads slowly.', fix: null } as const;
    report(
      {
        ...{ deployment: 'phi', phase: 'loading', phaseSeconds: 31, directKey: 'secret-key' },
        usualPhaseSeconds: { p50: 48, p95: 90 },
        progress: { doneBytes: 5, totalBytes: 10, text: 'weights' },
      },
      {
        issues: [
          { code: 'engine_unreachable', subject: 'phi', ...about },
          { code: 'driver_hung', subject: 'host', ...about },
        ],
      },
    );
    const { body } = await call('GET', '/deployments/phi');
    expect(body).toMatchObject({
      hostPresence: 'online',
      observed: {
        status: { phase: 'loading', usualPhaseSeconds: { p50: 48, p95: 90 }, progress: { doneBytes: 5 } },
        phaseSinceMs: api.clock.nowMs() - 31_000,
      },
      issues: [{ code: 'engine_unreachable', sinceMs: expect.any(Number) }],
    });
    for (const path of ['/deployments', '/deployments/phi', '/hosts/armitage']) {
      expect(JSON.stringify((await call('GET', path)).body)).not.toContain('secret-key');
    }
  });
});

describe('the log of a container', () => {
  test('streams as its agent sends it', async () => {
    await create();
    api.hostCalls.answer = async () => hostAnswer(200, '{"text":"a"}\n', '{"text":"b"}\n');
    const answer = await api.raw('/deployments/phi/logs?since=10m&tail=5');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await answer.text()).toBe('{"text":"a"}\n{"text":"b"}\n');
    const sinceMs = api.clock.nowMs() - 600_000;
    expect(api.hostCalls.asked[0]?.request.path).toBe(
      `/agent/v1/logs/phi?follow=0&sinceMs=${sinceMs}&tailLines=5`,
    );
  });

  test.each([
    ['of an external engine', '/deployments/qwen/logs', 409, 'not_managed'],
    ['of a host without a tunnel', '/deployments/phi/logs', 503, 'no_tunnel'],
    ['since no time', '/deployments/phi/logs?since=yesterday', 400, 'invalid'],
    ['of a negative tail', '/deployments/phi/logs?tail=-1', 400, 'invalid'],
    ['of nothing', '/deployments/nobody/logs', 404, 'not_found'],
  ])('%s is refused', async (_, path, status, code) => {
    await create();
    expect(await call('GET', path)).toMatchObject({ status, body: { code } });
  });
});

describe('orphans', () => {
  const orphans = [
    { containerId: '9a1b2c3d4e5f', name: 'ai-fabric-old', deployment: 'old' },
    { containerId: 'aaaaaaaaaaaa', name: 'ai-fabric-older', deployment: 'older' },
  ];
  beforeEach(() => report({ deployment: 'qwen', phase: 'ready' }, { orphans }));

  test('are told of their host, and removed by its agent', async () => {
    expect((await call('GET', '/hosts/armitage')).body.orphans).toEqual(orphans);
    api.hostCalls.outcome = { result: 'done', code: null, detail: null };
    const one = { containerIds: ['9a1b2c3d4e5f'] };
    expect(await call('POST', '/hosts/armitage/orphans/remove', one)).toMatchObject({
      status: 200,
      body: { removed: [{ containerId: '9a1b2c3d4e5f', name: 'ai-fabric-old' }] },
    });
    await call('POST', '/hosts/armitage/orphans/remove', {});
    expect(api.hostCalls.removed.map(({ containerIds }) => containerIds.length)).toEqual([1, 2]);
  });

  test('that are none are not asked for', async () => {
    const stranger = { containerIds: ['bbbbbbbbbbbb'] };
    expect(await call('POST', '/hosts/armitage/orphans/remove', stranger)).toMatchObject({ status: 404 });
    expect(api.hostCalls.removed).toEqual([]);
  });

  test.each([
    [{ result: 'failed', code: 'engine_unreachable', detail: 'no socket' }, 502, 'host_failed'],
    [{ result: 'refused', code: 'policy_refused', detail: null }, 502, 'host_failed'],
    [{ result: 'expired', code: null, detail: null }, 504, 'host_unanswered'],
    [null, 409, 'host_away'],
  ] as const)('%j is a %i', async (outcome, status, code) => {
    api.hostCalls.outcome = outcome;
    expect(await call('POST', '/hosts/armitage/orphans/remove', {})).toMatchObject({
      status,
      body: { code },
    });
  });
});

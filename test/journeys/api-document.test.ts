import { validate } from '@readme/openapi-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { DocumentedApi, type Operation } from '../harness/documented-api.js';
import { fabricYaml } from '../harness/fabric-yaml.js';
import { FeedSubscriber } from '../harness/feed-subscriber.js';
import { LightHost } from '../harness/light-host.js';
import { eventually } from '../simulators/common/eventually.js';

interface Call {
  /** For the parameters of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly status: number;
}

const deployment = {
  host: 'armitage',
  task: 'chat',
  engine: 'external',
  url: 'http://armitage:9',
  servedModel: 'm',
};
const role = { task: 'chat', targets: [{ deployment: 'qwen-armitage' }] };
const armitage = { host: 'armitage' };
const managed = { host: 'armitage', engine: 'vllm', preset: 'chat-fast' };
const third = { deployment: 'third' };
const motoko = { host: 'motoko' };
const ORPHAN = '9a1b2c3d4e5f';

/** What a call leaves for a later one. */
const kept = new Map<string, string>();

/**
 * Each operation of the document by an example call, in this order. Who adds a route adds a line: without one this
 * fails.
 */
const calls: Readonly<Record<string, () => Call>> = {
  getApiDocument: () => ({ status: 200 }),
  getStatus: () => ({ status: 200 }),
  listHosts: () => ({ status: 200 }),
  getHost: () => ({ params: armitage, status: 200 }),
  getHostTelemetry: () => ({ params: armitage, status: 200 }),
  drainHost: () => ({ params: armitage, status: 200 }),
  undrainHost: () => ({ params: armitage, status: 200 }),
  yieldHost: () => ({ params: armitage, status: 200 }),
  unyieldHost: () => ({ params: armitage, status: 200 }),
  // No release lies there.
  offerUpgrade: () => ({ params: armitage, status: 409 }),
  // It is awake, and nothing there is as yet to be proven.
  wakeHost: () => ({ params: armitage, query: 'waitSeconds=1', status: 409 }),
  listWakes: () => ({ query: 'limit=5&host=armitage', status: 200 }),
  getWake: () => ({ params: { wakeId: 'none' }, status: 404 }),
  getRehearsal: () => ({ params: armitage, status: 404 }),
  getHostSleep: () => ({ params: armitage, status: 200 }),
  keepHostAwake: () => ({ params: armitage, body: { seconds: 3600 }, status: 200 }),
  sleepHost: () => ({ params: armitage, body: {}, status: 409 }),
  getPower: () => ({ query: 'from=1', status: 200 }),
  rehearseHost: () => ({ params: armitage, body: { action: 'suspend' }, status: 200 }),
  declareDeployment: () => ({ params: { deployment: 'second' }, body: deployment, status: 200 }),
  listDeployments: () => ({ query: 'limit=1', status: 200 }),
  getDeployment: () => ({ params: { deployment: 'qwen-armitage' }, status: 200 }),
  createDeployment: () => ({ body: { name: 'third', deployment: managed }, status: 201 }),
  changeDeployment: () => ({
    params: third,
    body: { changes: { contextTokens: 8192, parkable: true } },
    status: 200,
  }),
  stopDeployment: () => ({ params: third, status: 200 }),
  startDeployment: () => ({ params: third, status: 200 }),
  restartDeployment: () => ({ params: third, status: 200 }),
  parkDeployment: () => ({ params: third, status: 200 }),
  unparkDeployment: () => ({ params: third, status: 200 }),
  forgetRates: () => ({ params: third, status: 200 }),
  adoptContainer: () => ({ params: third, body: { container: 'vllm-armitage' }, status: 200 }),
  // Its host has no tunnel here.
  readDeploymentLogs: () => ({ params: third, status: 503 }),
  removeOrphans: () => ({ params: armitage, body: { containerIds: [ORPHAN] }, status: 200 }),
  // A host that never joined: models are asked of its agent, through its tunnel.
  listHostModels: () => ({ params: motoko, status: 404 }),
  prefetchModel: () => ({ params: motoko, body: { model: 'Qwen/Qwen3-8B' }, status: 404 }),
  removeModel: () => ({ params: { ...motoko, organisation: 'Qwen', model: 'Qwen3-8B' }, status: 404 }),
  removeDeployment: () => ({ params: { deployment: 'second' }, status: 204 }),
  declareRole: () => ({ params: { role: 'code-assist' }, body: role, status: 200 }),
  listRoles: () => ({ status: 200 }),
  getRole: () => ({ params: { role: 'chat-fast' }, status: 200 }),
  removeRole: () => ({ params: { role: 'code-assist' }, status: 204 }),
  getDeclaredState: () => ({ status: 200 }),
  planDeclaredState: () => ({ body: { document: { version: 1, hosts: {} } }, status: 200 }),
  applyDeclaredState: () => ({
    body: { document: { version: 1, hosts: { motoko: {} } }, expectedRevision: 99 },
    status: 409,
  }),
  getDrift: () => ({ status: 200 }),
  compareDrift: () => ({ body: { document: { version: 1, hosts: {} } }, status: 200 }),
  runDoctor: () => ({ body: {}, status: 200 }),
  runSmoke: () => ({ body: {}, status: 200 }),
  getChecks: () => ({ status: 200 }),
  getBundle: () => ({ status: 200 }),
  createJoinToken: () => ({ body: { hostName: 'motoko' }, status: 201 }),
  listJoinTokens: () => ({ status: 200 }),
  createKey: () => ({ body: { name: 'ci', roles: ['chat-fast'] }, status: 201 }),
  listKeys: () => ({ status: 200 }),
  getKey: () => ({ params: { key: 'ci' }, status: 200 }),
  changeKey: () => ({ params: { key: 'ci' }, body: { limits: { requestsPerMinute: 60 } }, status: 200 }),
  rotateKey: () => ({ params: { key: 'ci' }, body: { graceSeconds: 60 }, status: 200 }),
  revokeKey: () => ({ params: { key: 'ci' }, status: 204 }),
  createFeedTicket: () => ({ status: 201 }),
  // As a plain request; the last test subscribes.
  openTelemetryFeed: () => ({ status: 426 }),
  getLogLevel: () => ({ status: 200 }),
  setLogLevel: () => ({ body: { level: 'silent' }, status: 200 }),
  listRequests: () => ({ query: 'limit=1', status: 200 }),
  getRequest: () => ({ params: { id: kept.get('request') ?? '' }, status: 200 }),
  getRequestBody: () => ({ params: { id: kept.get('request') ?? '' }, status: 200 }),
  listUsage: () => ({ query: 'by=target', status: 200 }),
  listAuditEntries: () => ({ query: 'limit=3', status: 200 }),
  revokeJoinToken: () => ({ params: { id: kept.get('createJoinToken') ?? '' }, status: 204 }),
  showBackups: () => ({ status: 200 }),
  createBackup: () => ({ body: { secrets: false }, status: 200 }),
  reEnrolHost: () => ({ params: armitage, body: {}, status: 201 }),
  clearIdentityConflict: () => ({ params: armitage, status: 404 }),
  revokeHost: () => ({ params: armitage, status: 200 }),
  removeHost: () => ({ params: armitage, query: 'force=true', status: 204 }),
};

let controlPlane: BootedControlPlane;
let host: LightHost;
let api: DocumentedApi;

beforeAll(async () => {
  controlPlane = await BootedControlPlane.boot({
    fabric: fabricYaml({
      hosts: { armitage: {}, motoko: {} },
      deployments: { 'qwen-armitage': { host: 'armitage', url: 'http://127.0.0.1:9', servedModel: 'qwen' } },
      roles: { 'chat-fast': { targets: ['qwen-armitage'] } },
    }),
  });
  const { tlsUrl } = controlPlane;
  host = new LightHost({ tlsUrl, name: 'armitage', joinToken: await controlPlane.joinToken() });
  await host.link();
  host.serve('qwen-armitage');
  host.report({ orphans: [{ containerId: ORPHAN, name: 'ai-fabric-old', deployment: 'old' }] });
  host.reportSample();
  await eventually('a sample', async () => {
    const { sample } = await controlPlane.api<{ sample: unknown }>('/hosts/armitage');
    return sample !== null;
  });
  await controlPlane.api('/keys/anonymous', { method: 'PATCH', body: { keepBodiesDays: 1 } });
  const asked = await fetch(`${controlPlane.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'chat-fast', messages: [] }),
  });
  await asked.arrayBuffer();
  kept.set('request', asked.headers.get('x-request-id') ?? '');
  await eventually('the row of a request', async () => {
    const { items } = await controlPlane.api<{ items: unknown[] }>('/requests');
    return items.length > 0;
  });
  api = new DocumentedApi(await controlPlane.api('/openapi.json'));
});
afterAll(async () => {
  await host?.close();
  await controlPlane?.close();
});

async function send(operation: Operation, call: Call, init: RequestInit = {}) {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => call.params?.[name] ?? 'x');
  const answer = await fetch(
    `${controlPlane.url}${path}${call.query === undefined ? '' : `?${call.query}`}`,
    {
      method: operation.method,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...init,
      headers: {
        authorization: `Bearer ${controlPlane.adminToken}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(init.headers as Record<string, string> | undefined),
      },
    },
  );
  const text = await answer.text();
  const type = answer.headers.get('content-type');
  const body: unknown = text !== '' && (type ?? '').includes('json') ? JSON.parse(text) : text || null;
  return { status: answer.status, type, body, headers: answer.headers };
}

/** Fails unless it is the problem that it should be, described as such. */
async function expectProblem(operation: Operation, init: RequestInit, status: number): Promise<void> {
  const { type, body, ...answer } = await send(operation, { status }, init);
  const about = `${operation.method} ${operation.path}: ${JSON.stringify(body)}`;
  expect([answer.status, type], about).toEqual([status, 'application/problem+json']);
  expect(api.complaintsAbout('Problem', body), about).toEqual([]);
}

describe('the document of the control API', () => {
  test('is valid OpenAPI 3.1', async () => {
    const result = await validate(structuredClone(api.document) as never);
    expect(result.valid ? [] : result.errors).toEqual([]);
    expect(api.document.openapi).toMatch(/^3\.1\./);
  });

  test('names, explains and groups every operation', () => {
    const groups = new Map(api.document.tags.map(({ name, description }) => [name, description]));
    for (const { operationId, method, path, summary, tags } of api.operations) {
      expect(operationId, `${method} ${path}`).toMatch(/^[a-z]+([A-Z][a-z]+)+$/);
      expect(summary, operationId).toBeTruthy();
      expect(tags, operationId).not.toEqual([]);
      for (const tag of tags) expect(groups.get(tag), `what "${tag}" is`).toBeTruthy();
    }
  });

  test('has no operation that no example calls, and the examples call no other', () => {
    expect(Object.keys(calls).sort()).toEqual(api.operations.map(({ operationId }) => operationId).sort());
  });
});

describe('the feed', () => {
  test('sends what is described as its messages', async () => {
    const feed = new FeedSubscriber(controlPlane.url, { authorization: `Bearer ${controlPlane.adminToken}` });
    await eventually('a snapshot', () => feed.messages.length > 0);
    host.reportSample();
    await eventually('a change', () => feed.messages.length > 1);
    await feed.close();
    for (const message of feed.messages) {
      const name = message.type === 'snapshot' ? 'FeedSnapshot' : 'FeedChange';
      expect(api.complaintsAbout(name, message)).toEqual([]);
      expect(api.complaintsAbout('FeedMessage', message)).toEqual([]);
    }
  });
});

describe('every operation', () => {
  test.each(Object.entries(calls))('%s answers as it is described', async (operationId, call) => {
    const operation = api.operation(operationId);
    const example = call();
    const { status, type, body } = await send(operation, example);
    expect(status, JSON.stringify(body)).toBe(example.status);
    expect(api.complaints(operation, status, type, body)).toEqual([]);
    if (typeof body === 'object' && body !== null && 'id' in body) kept.set(operationId, String(body.id));
  });

  test('refuses who brings no token, but for the document', async () => {
    for (const operation of api.operations) {
      if (operation.needsToken && !operation.speaksWebSocket)
        await expectProblem(operation, { headers: { authorization: '' } }, 401);
    }
  });

  test('says which methods its path takes', async () => {
    for (const operation of api.operations) {
      if (operation.speaksWebSocket) continue;
      const { status, headers } = await send(operation, { status: 405 }, { method: 'PROPFIND' });
      expect([status, headers.get('allow')], operation.path).toEqual([
        405,
        expect.stringContaining(operation.method),
      ]);
    }
  });

  test('that changes something is recorded, and answers a repeated one without doing it again', async () => {
    for (const operation of api.operations.filter(({ takesIdempotencyKey }) => takesIdempotencyKey)) {
      const { operationId } = operation;
      const headers = { 'idempotency-key': `once-${operationId}`, 'x-request-id': `first-${operationId}` };
      const example = calls[operationId]?.() ?? { status: 0 };
      const first = await send(operation, example, { headers });
      const again = await send(operation, example, { headers: { ...headers, 'x-request-id': 'again' } });
      expect(again.status === 409 || again.headers.get('idempotent-replayed') === 'true', operationId).toBe(
        true,
      );
      const log = await controlPlane.api<{ items: object[] }>(`/audit?operationId=${operationId}&limit=1`);
      expect(log.items).toMatchObject([{ requestId: `first-${operationId}`, status: first.status }]);
    }
  });

  test('refuses a body that is no JSON, not declared as JSON, or too large', async () => {
    const json = { 'content-type': 'application/json' };
    for (const operation of api.operations.filter(({ takesBody }) => takesBody)) {
      await expectProblem(operation, { body: '{"a":', headers: json }, 400);
      await expectProblem(operation, { body: 'a: 1', headers: { 'content-type': 'text/plain' } }, 415);
      await expectProblem(operation, { body: 'x'.repeat(1024 * 1024 + 1), headers: json }, 413);
    }
  });
});

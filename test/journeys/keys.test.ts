import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf, rawHttp } from '../harness/raw-http.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.js';
import { eventually } from '../simulators/common/eventually.js';

const messages = [{ role: 'user' as const, content: 'Hello there' }];

describe('keys of applications', () => {
  let fabric: BootedFabric;
  let elsewhere: TemporaryDirectory;

  const api = <Body>(method: string, path: string, body?: unknown): Promise<Body> =>
    fabric.controlPlane.api<Body>(path, { method, ...(body === undefined ? {} : { body }) });
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli(['keys', ...args, '--data', fabric.controlPlane.dataDirectory]);
  const ok = async (...args: readonly string[]): Promise<CliResult> => {
    const result = await run(...args);
    expect([result.exitCode, result.stderr]).toEqual([0, expect.anything()]);
    return result;
  };
  const create = async (name: string, policy: Record<string, unknown> = {}): Promise<string> =>
    (await api<{ secret: string }>('POST', '/keys', { name, ...policy })).secret;
  const rotate = async (name: string, graceSeconds: number): Promise<string> =>
    (await api<{ secret: string }>('POST', `/keys/${name}/rotate`, { graceSeconds })).secret;
  const change = (name: string, policy: unknown) => api('PATCH', `/keys/${name}`, policy);
  const clientOf = (apiKey: string): OpenAI =>
    new OpenAI({ apiKey, baseURL: `${fabric.controlPlane.url}/v1`, maxRetries: 0 });
  const refusalOf = async (call: Promise<unknown>): Promise<APIError> => {
    const error = await call.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof APIError)) throw new Error(`expected a refusal, got ${String(error)}`);
    return error;
  };
  const chat = (client: OpenAI, model = 'chat-fast') =>
    client.chat.completions.create({ model, messages, max_tokens: 8 });

  beforeAll(async () => {
    elsewhere = temporaryDirectory();
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: { engines: { 'qwen-armitage': { speed: { decodeTokensPerSecond: 40 } } } },
      },
      roles: {
        'chat-fast': { targets: ['qwen-armitage'] },
        'chat-cloud': { targets: ['openai/cheap'] },
      },
      aliases: { 'local/chat': 'chat-fast' },
      cloud: {},
    });
  });
  afterAll(async () => {
    await fabric?.close();
    elsewhere?.remove();
  });

  test('a key that asks for it has its bodies kept, until it does so no more', async () => {
    const { url, dataDirectory } = fabric.controlPlane;
    const secret = await create('careful', { roles: ['chat-fast'] });
    await ok('permit', 'careful', '--keep-bodies', '7d');
    const asked = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ model: 'chat-fast', messages, max_tokens: 8 }),
    });
    const answer = await asked.text();
    const id = asked.headers.get('x-request-id') ?? '';
    const show = () => runCli(['requests', 'show', id, '--body', '--data', dataDirectory]);
    await eventually('the row and the body', async () => (await show()).exitCode === 0);
    const { stdout } = await show();
    expect(stdout).toContain(messages[0]?.content);
    expect(stdout).toContain(answer);
    expect((await ok('list')).stdout).toMatch(/careful .* 7d /);
    await ok('permit', 'careful', '--keep-bodies', 'no');
    expect([(await show()).exitCode, (await show()).stderr]).toEqual([
      3,
      expect.stringContaining('--keep-bodies 7d'),
    ]);
  });

  test('a key has a class of its own and a most urgent one, which are changed and taken back', async () => {
    await create('nightly', { mostUrgentClass: 'normal' });
    await ok('permit', 'nightly', '--class', 'batch');
    expect((await ok('show', 'nightly')).stdout).toContain('batch, at most normal');
    await ok('permit', 'nightly', '--class', 'role', '--most-urgent', 'any');
    expect(await api('GET', '/keys/nightly')).toMatchObject({ defaultClass: null, mostUrgentClass: null });
    expect((await ok('show', 'nightly')).stdout).toContain('as the role');
    const wrong = await run('permit', 'nightly', '--class', 'urgent');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('interactive')]);
    const refused = await change('nightly', { mostUrgentClass: 'urgent' }).then(
      () => 'taken',
      (error: unknown) => String(error),
    );
    expect(refused).toContain('mostUrgentClass');
    const audit = await api<{ items: { operationId: string; body: unknown }[] }>(
      'GET',
      '/audit?operationId=changeKey&limit=10',
    );
    expect(JSON.stringify(audit.items)).toContain('defaultClass');
  });

  test('a key sees and asks for what it was given, by any of its names', async () => {
    const client = clientOf(await create('notes', { roles: ['chat-fast'] }));
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(['chat-fast', 'local/chat']);
    expect((await chat(client, 'local/chat')).choices[0]?.message.content).toContain('qwen-armitage');
    const refused = await refusalOf(chat(client, 'chat-cloud'));
    expect([refused.status, refused.code, refused.param]).toEqual([404, 'model_not_found', 'model']);
  });

  test('a key that may not spend is never sent to a provider', async () => {
    const client = clientOf(await create('thrifty'));
    fabric.cloud.simulator.forgetRequests();
    const refused = await refusalOf(chat(client, 'chat-cloud'));
    expect([refused.status, refused.code]).toEqual([403, 'cloud_not_allowed']);
    expect(refused.headers?.get('x-fabric-reason')).toContain('openai/cheap=cloud_not_allowed');
    expect(fabric.cloud.simulator.requests).toHaveLength(0);
    await change('thrifty', { mayCloud: true });
    expect((await chat(client, 'chat-cloud')).choices).toHaveLength(1);
  });

  test('limits are told as OpenAI tells them, and a 429 names the one that was reached', async () => {
    const limits = { requestsPerMinute: 2, tokensPerMinute: 9_000 };
    const client = clientOf(await create('limited', { limits }));
    const { response } = await client.chat.completions
      .create({ model: 'chat-fast', messages, max_tokens: 8 })
      .withResponse();
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/s$/);
    expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('9000');
    await chat(client);
    const refused = await refusalOf(chat(client));
    expect([refused.status, refused.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(refused.message).toContain('requests_per_minute');
    expect(Number(refused.headers?.get('retry-after'))).toBeGreaterThan(0);
    await change('limited', { limits: { requestsPerMinute: 0 } });
    const never = await refusalOf(chat(client));
    expect([never.status, never.code]).toEqual([403, 'limit_is_zero']);
    await change('limited', { limits: { requestsPerMinute: null } });
    expect((await chat(client)).choices).toHaveLength(1);
  });

  test('a key that is revoked in mid-stream ends its stream with an error, and opens nothing more', async () => {
    const secret = await create('leaked');
    const client = clientOf(secret);
    const stream = await client.chat.completions.create({
      ...{ model: 'chat-fast', messages, max_tokens: 2_000, stream: true },
    });
    let chunks = 0;
    const broken = await refusalOf(
      (async () => {
        for await (const _chunk of stream) {
          chunks++;
          if (chunks === 2) await api('DELETE', '/keys/leaked');
        }
      })(),
    );
    expect(broken.code).toBe('key_revoked');
    expect(chunks).toBeLessThan(100);
    // Loopback is trusted without a key, but not with one that was taken away.
    const refused = await refusalOf(chat(client));
    expect([refused.status, refused.code]).toEqual([401, 'invalid_api_key']);
    expect((await chat(clientOf('not-needed'))).choices).toHaveLength(1);
  });

  test('the secret before a new one is good for its grace', async () => {
    const before = await create('rotating');
    const after = await rotate('rotating', 3_600);
    expect(after).not.toBe(before);
    for (const secret of [before, after]) expect((await chat(clientOf(secret))).choices).toHaveLength(1);
    const last = await rotate('rotating', 0);
    expect((await refusalOf(chat(clientOf(after)))).status).toBe(401);
    expect((await chat(clientOf(last))).choices).toHaveLength(1);
  });

  test('a key opens /v1 where no address is trusted, and the admin token does not once there are keys', async () => {
    const secret = await create('remote');
    const url = `${fabric.controlPlane.url}/v1/models`;
    const ask = (token: string) =>
      rawHttp(url, {
        method: 'GET',
        headers: { 'x-forwarded-for': '203.0.113.7', authorization: `Bearer ${token}` },
      });
    expect((await ask(secret)).status).toBe(200);
    const admin = await ask(fabric.controlPlane.adminToken);
    expect([admin.status, errorOf(admin.text).code]).toEqual([401, 'invalid_api_key']);
    const asKey = await rawHttp(`${fabric.controlPlane.url}/api/v1/keys`, {
      method: 'GET',
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(asKey.status).toBe(401);
  });

  test('anonymous callers have limits of their own', async () => {
    await change('anonymous', { limits: { requestsPerMinute: 0 } });
    const refused = await refusalOf(chat(clientOf('not-needed')));
    expect([refused.status, refused.code]).toEqual([403, 'limit_is_zero']);
    await change('anonymous', { limits: { requestsPerMinute: null } });
    expect((await chat(clientOf('not-needed'))).choices).toHaveLength(1);
  });

  test('the command line makes keys, and a file for a secret is for its owner alone', async () => {
    const file = join(elsewhere.path, 'ci.key');
    const flags = ['--roles', 'chat-fast', '--expires', '90d', '--concurrent', '4', '--may-wake'];
    const made = await ok('create', 'ci', ...flags, '--out', file, '--json');
    const secret = (await readFile(file, 'utf8')).trim();
    expect(JSON.parse(made.stdout)).toMatchObject({
      file,
      key: { name: 'ci', roles: ['chat-fast'], mayWake: true, limits: { concurrentRequests: 4 } },
    });
    expect(made.stdout).not.toContain(secret);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await chat(clientOf(secret))).choices).toHaveLength(1);
    expect((await run('create', 'other', '--out', file)).exitCode).toBe(4);
    expect((await run('show', 'other')).exitCode).toBe(3);
  }, 120_000);

  test('the command line changes, rotates, lists and revokes', async () => {
    const rotated = await ok('rotate', 'ci', '--grace', '0s');
    expect(rotated.stdout.trim()).toMatch(/^sk-fabric-\S+$/);
    await ok('limits', 'ci', '--concurrent', 'none', '--requests-per-minute', '7');
    await ok('permit', 'ci', '--roles', 'all', '--no-may-wake', '--expires', 'never');
    const { stdout } = await ok('list');
    expect(stdout).toMatch(/^anonymous\s+active\s+all\s+yes\s+yes/m);
    expect(stdout).toMatch(
      /^ci\s+active\s+all\s+no\s+no\s+7\s+-\s+-\s+as the role\s+not kept\s+never\s+sk-fabric-/m,
    );
    expect(stdout).not.toMatch(/^leaked/m);
    expect(await run('revoke', 'ci')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('fix: add --yes'),
    });
    expect((await ok('show', 'ci')).stdout).toMatch(/^ci\s+active/m);
    await ok('revoke', 'ci', '--yes');
    const all = JSON.parse((await ok('list', '--revoked', '--json')).stdout);
    expect(all).toContainEqual(expect.objectContaining({ name: 'ci', state: 'revoked' }));
    expect((await run('show', 'nobody')).exitCode).toBe(3);
    expect((await run('create', 'notes')).exitCode).toBe(4);
    expect((await run('limits', 'notes', '--concurrent', 'many')).exitCode).toBe(2);
  }, 120_000);

  test('the command line speaks of its flags, whoever refuses them', async () => {
    const past = await run('permit', 'notes', '--expires', '2020-01-31');
    expect(past.exitCode).toBe(2);
    expect(past.stderr).toContain('error: --expires <when>: expected a time to come');
    const tooMany = await run('limits', 'notes', '--tokens-per-minute', '9999999999');
    expect(tooMany.exitCode).toBe(4);
    expect(tooMany.stderr).toMatch(/^error: --tokens-per-minute: expected .*1000000000, found 9999999999$/m);
    const unknown = await run('permit', 'notes', '--roles', 'chat-fats');
    expect(unknown.stderr).toMatch(/^error: --roles: "chat-fats" is no declared role/m);
  }, 120_000);
});

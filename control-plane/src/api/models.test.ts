import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostAnswer } from './testing/fake-host-calls.js';
import { TestApi } from './testing/test-api.js';

let api: TestApi;
const call: TestApi['call'] = (...args) => api.call(...args);
const qwen = {
  ...{ model: 'Qwen/Qwen3-8B', sizeBytes: 5, revisions: ['abc'], complete: true, changedAtMs: 1 },
};

beforeEach(() => {
  api = new TestApi();
  api.live.hostLinked({
    ...{ hostId: 'h1', name: 'armitage', agentVersion: '0.1.0', peerAddress: '192.0.2.1', draining: false },
  });
});
afterEach(() => api.remove());

describe('models of a host', () => {
  test('are listed as its agent finds them, and summed up', async () => {
    const models = [qwen, { ...qwen, model: 'BAAI/bge-m3', sizeBytes: 7 }];
    api.hostCalls.answer = async () => hostAnswer(200, JSON.stringify({ models }));
    expect(await call('GET', '/hosts/armitage/models')).toMatchObject({
      status: 200,
      body: { models, totalBytes: 12 },
    });
    expect(api.hostCalls.asked[0]?.request).toEqual({ method: 'GET', path: '/agent/v1/models' });
  });

  test('are removed, unless a deployment loads them', async () => {
    api.hostCalls.answer = async () => hostAnswer(200, '{"freedBytes":5}');
    const path = '/hosts/armitage/models/Qwen/Qwen3-8B';
    expect(await call('DELETE', path)).toMatchObject({ status: 200, body: { freedBytes: 5 } });
    expect(api.hostCalls.asked[0]?.request.path).toBe('/agent/v1/models/Qwen/Qwen3-8B');
    api.hostCalls.answer = async () => hostAnswer(409, '{"code":"in_use","detail":"qwen loads it"}');
    expect(await call('DELETE', path)).toMatchObject({
      status: 409,
      body: { code: 'in_use', detail: expect.stringContaining('qwen loads it') },
    });
  });

  test('are fetched while the caller listens', async () => {
    const lines = ['{"kind":"progress","doneBytes":1,"totalBytes":5}\n', '{"kind":"done","bytes":5}\n'];
    api.hostCalls.answer = async () => hostAnswer(200, ...lines);
    const answer = await api.app.request('/api/v1/hosts/armitage/models/prefetch', {
      method: 'POST',
      headers: { authorization: 'Bearer aifa_test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'Qwen/Qwen3-8B', revision: 'main' }),
    });
    expect(await answer.text()).toBe(lines.join(''));
    expect(api.hostCalls.asked[0]?.request).toEqual({
      ...{ method: 'POST', path: '/agent/v1/models/prefetch/Qwen/Qwen3-8B?revision=main' },
    });
  });

  test.each([
    ['no model', {}],
    ['a path', { model: '../../etc/passwd' }],
    ['an option', { model: '--help/x' }],
    ['a hostile revision', { model: 'a/b', revision: '../..' }],
  ])('are not fetched by %s', async (_, body) => {
    api.hostCalls.answer = async () => hostAnswer(200, '');
    expect(await call('POST', '/hosts/armitage/models/prefetch', body)).toMatchObject({ status: 400 });
    expect(api.hostCalls.asked).toEqual([]);
  });

  test('are not known of a host without a tunnel, of none, or from an agent that answers nonsense', async () => {
    expect(await call('GET', '/hosts/armitage/models')).toMatchObject({ status: 503 });
    expect(await call('GET', '/hosts/nobody/models')).toMatchObject({ status: 404 });
    api.hostCalls.answer = async () => hostAnswer(200, '<html>');
    expect(await call('GET', '/hosts/armitage/models')).toMatchObject({
      status: 502,
      body: { code: 'host_failed' },
    });
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentHost } from '../harness/agent-host.js';
import { BootedControlPlane } from '../harness/boot-control-plane.js';
import { CutOffProxy } from '../harness/cut-off-proxy.js';
import { errorOf } from '../harness/raw-http.js';
import { readStream } from '../harness/read-stream.js';
import { servedKeeper } from '../harness/served-keeper.js';
import { eventually } from '../simulators/common/eventually.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';

const KEY = 'key-that-only-the-agent-knows';

describe('an engine that is reached through its host alone', () => {
  let controlPlane: BootedControlPlane;
  let host: AgentHost;
  let proxy: CutOffProxy;
  let far: VllmSimulator;
  let near: VllmSimulator;
  const logLines: string[] = [];

  beforeEach(async () => {
    far = await startVllmSimulator({
      ...{ name: 'far', model: 'far', apiKey: KEY, replyTokens: 5_000 },
      speed: { decodeTokensPerSecond: 50 },
    });
    near = await startVllmSimulator({ name: 'near', model: 'near' });
    controlPlane = await BootedControlPlane.boot({ fabric: fabricOf(near.url), logLines });
    proxy = await CutOffProxy.start(controlPlane.tlsUrl);
    const port = Number(new URL(far.url).port);
    host = await AgentHost.prepare({ name: 'armitage', openKeeper: servedKeeper(() => port, KEY) });
    await host.join(controlPlane.tlsUrl, await controlPlane.joinToken('armitage'));
    await host.start(proxy.url);
    await eventually('the engine answers', async () => (await chat('far')).status === 200);
  });

  afterEach(async () => {
    await host?.remove();
    await proxy?.close();
    await controlPlane?.close();
    await Promise.all([far?.close(), near?.close()]);
  });

  function chat(model: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
    const messages = [{ role: 'user', content: 'Hello' }];
    return controlPlane.post('/v1/chat/completions', { model, messages, max_tokens: 4, ...more }, init);
  }

  async function heldNow(): Promise<number> {
    const text = await (await fetch(`${controlPlane.url}/metrics`)).text();
    const counts = [...text.matchAll(/^ai_fabric_held_requests\{.*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  test('answers through /v1, streaming or not, with a key that the control plane never sees', async () => {
    const whole = await chat('far');
    expect(whole.headers.get('x-fabric-host')).toBe('armitage');
    expect(await whole.json()).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
    const stream = await readStream(await chat('far', { stream: true, max_tokens: 20 }));
    expect(stream).toMatchObject({ done: true, errorCode: null });
    expect(stream.content).not.toBe('');
    expect(logLines.join('')).not.toContain(KEY);
  });

  test('sees at once that a client is gone', async () => {
    const leave = new AbortController();
    const before = far.aborted;
    const answer = await chat('far', { stream: true, max_tokens: 5_000 }, { signal: leave.signal });
    await answer.body?.getReader().read();
    leave.abort();
    await eventually('the engine knows', async () => far.aborted === before + 1);
    await eventually('it works on nothing', async () => far.running === 0);
  });

  test('is cut off amid a stream: the stream ends in an error, others go elsewhere, and all is well again', async () => {
    const answer = await chat('chat-fast', { stream: true, max_tokens: 5_000 });
    expect(answer.headers.get('x-fabric-replica')).toBe('far');
    const read = readStream(answer);
    proxy.cut();
    expect(await read).toMatchObject({ done: false, errorCode: 'upstream_interrupted' });
    const elsewhere = await chat('chat-fast');
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.headers.get('x-fabric-replica')).toBe('nearby/fast');
    const refused = await chat('chat-at-once');
    expect(refused.status).toBe(503);
    expect(errorOf(await refused.text()).message).toContain('the tunnel to host armitage is down');
    const held = [chat('chat-far'), chat('chat-far', { stream: true }), chat('far')];
    await eventually('they are held', async () => (await heldNow()) === held.length);
    proxy.resume();
    const answers = await Promise.all(held);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await readStream(answers[1] as Response)).toMatchObject({ done: true, errorCode: null });
    await eventually('the engine works on nothing', async () => far.running === 0);
  });

  test('of a host that is revoked amid a stream: the stream ends, and nobody gets there any more', async () => {
    const answer = await chat('far', { stream: true, max_tokens: 5_000 });
    const read = readStream(answer);
    await controlPlane.api('/hosts/armitage/revoke', { method: 'POST' });
    expect(await read).toMatchObject({ done: false, errorCode: 'upstream_interrupted' });
    expect((await chat('far')).status).toBe(503);
  });
});

function fabricOf(nearUrl: string): string {
  return `
version: 1
hosts: { armitage: {} }
deployments:
  far: { host: armitage, task: chat, engine: vllm, model: example/far }
roles:
  chat-far: { task: chat, targets: [{ deployment: far }] }
  chat-at-once: { task: chat, targets: [{ deployment: far }], patienceSeconds: 0 }
  chat-fast: { task: chat, targets: [{ deployment: far }, { provider: nearby, model: fast }] }
providers:
  nearby: { baseUrl: ${nearUrl}/v1, models: { fast: { model: near } } }
`;
}

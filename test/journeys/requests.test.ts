import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf, rawHttp } from '../harness/raw-http.js';
import { readStream } from '../harness/read-stream.js';
import { eventually } from '../simulators/common/eventually.js';

const MAX_BODY_BYTES = 64 * 1024;

describe('a request', () => {
  let fabric: BootedFabric;
  let chatUrl: string;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: {
          agent: 'stand-in',
          engines: {
            quick: { contextTokens: 512 },
            // A token each 50 ms, for long: somebody is to hang up amid it.
            slow: { speed: { decodeTokensPerSecond: 20 }, replyTokens: 10_000, maxModelLen: 100_000 },
          },
        },
      },
      roles: { 'chat-fast': { targets: ['quick'] } },
      config: { maxBodyBytes: MAX_BODY_BYTES, bodyTimeoutSeconds: 1 },
    });
    chatUrl = `${fabric.controlPlane.url}/v1/chat/completions`;
  });
  beforeEach(() => fabric.engine('quick').forgetRequests());
  afterAll(() => fabric?.close());

  const raw = (body: string, headers: Record<string, string> = {}) =>
    fabric.controlPlane.post('/v1/chat/completions', body, {
      headers: { 'content-type': 'application/json', ...headers },
    });

  test.each([
    ['whose body is no JSON', '{"model": "chat-fast", ', 400, 'invalid_json'],
    ['whose body is empty', '', 400, 'invalid_json'],
    ['whose body is no object', '["chat-fast"]', 400, 'invalid_request'],
    ['that names no model', '{"messages": []}', 400, 'missing_required_parameter'],
    ['whose model is no text', '{"model": 7, "messages": []}', 400, 'invalid_request'],
    ['for a name that is not there', '{"model": "chat-fats", "messages": []}', 404, 'model_not_found'],
    [
      'over the limit',
      JSON.stringify({ model: 'chat-fast', x: 'x'.repeat(MAX_BODY_BYTES) }),
      413,
      'request_too_large',
    ],
  ])('%s is refused by us, and no engine hears of it', async (_, body, status, code) => {
    const answer = await raw(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-request-id')).not.toBeNull();
    expect(errorOf(await answer.text())).toMatchObject({ code, type: 'invalid_request_error' });
    expect(fabric.engine('quick').inferenceRequests).toHaveLength(0);
  });

  test('that is over the limit without saying so is cut off all the same', async () => {
    const sent = request(chatUrl, { method: 'POST', headers: { 'content-type': 'application/json' } });
    const answered = new Promise<number>((resolve, reject) => {
      sent.once('response', (answer) => resolve(answer.resume().statusCode ?? 0));
      sent.once('error', reject);
    });
    sent.write(`{"model":"chat-fast","x":"`);
    for (let part = 0; part < 20; part += 1) sent.write('x'.repeat(4_096));
    expect(await answered).toBe(413);
    sent.destroy();
  });

  test('that sends one byte a second is told that its time is over', async () => {
    const sent = request(chatUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '200' },
    });
    sent.write('{');
    const dripping = setInterval(() => sent.write(' '), 200);
    const [status, text] = await new Promise<[number, string]>((resolve, reject) => {
      sent.once('error', reject);
      sent.once('response', async (answer) => {
        let body = '';
        for await (const part of answer) body += String(part);
        resolve([answer.statusCode ?? 0, body]);
      });
    });
    clearInterval(dripping);
    sent.destroy();
    expect(status).toBe(408);
    expect(errorOf(text).code).toBe('body_timeout');
  });

  test('that hangs up amid its body leaves nothing behind', async () => {
    const sent = request(chatUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '200' },
    });
    sent.on('error', () => undefined);
    sent.write('{"model":"chat-fast"');
    await eventually('the request is in the gateway', async () => (await openRequests()) === 1);
    sent.destroy();
    await eventually('it is gone', async () => (await openRequests()) === 0);
    expect(fabric.engine('quick').inferenceRequests).toHaveLength(0);
  });

  const openRequests = async (): Promise<number> => {
    const text = await (await fetch(`${fabric.controlPlane.url}/metrics`)).text();
    return Number(/^ai_fabric_open_requests (\d+)/m.exec(text)?.[1]);
  };

  test.each([
    ['streaming', true],
    ['not streaming', false],
  ])('whose client hangs up frees its slot, %s', async (_, stream) => {
    const engine = fabric.engine('slow');
    const before = engine.aborted;
    const hangUp = new AbortController();
    const asked = fabric.chat('slow', { stream, max_tokens: 5_000 }, { signal: hangUp.signal });
    const outcome = asked.then(
      (answer) => answer.text(),
      () => 'hung up',
    );
    await eventually('the engine works', () => engine.running === 1);
    expect(await fabric.inFlight('slow')).toBe(1);
    hangUp.abort();
    await outcome.catch(() => undefined);
    await eventually('the engine stops', () => engine.aborted === before + 1 && engine.running === 0);
    await eventually('the slot is free', async () => (await fabric.inFlight('slow')) === 0);
  });

  test('that is too long for its model is told so in the code of OpenAI, by the declared length or by the engine', async () => {
    // Far over what is declared: no engine is asked.
    const far = await fabric.chat('quick', { messages: [{ role: 'user', content: 'word '.repeat(8_000) }] });
    expect(far.status).toBe(400);
    expect(errorOf(await far.text()).code).toBe('context_length_exceeded');
    expect(fabric.engine('quick').inferenceRequests).toHaveLength(0);
    // The engine's own refusal, translated.
    const near = await fabric.chat('slow', { max_tokens: 99_999_999 });
    expect(near.status).toBe(400);
    expect(errorOf(await near.text())).toMatchObject({
      code: 'context_length_exceeded',
      type: 'invalid_request_error',
    });
  });

  test('that an engine refuses gets the refusal of the engine', async () => {
    const answer = await fabric.chat('quick', { max_tokens: 'many' });
    expect(answer.status).toBe(400);
    expect(errorOf(await answer.text()).message).toContain('max_tokens');
    expect(answer.headers.get('x-fabric-attempts')).toBe('1');
  });

  test('with fields that nobody knows reaches the engine with them, byte for byte', async () => {
    const body =
      '{ "messages":[{"role":"user","content":"h\\u00e9"}],"model": "chat-fast", "x_new": {"model": "inner", "n": 1.0e2} }';
    expect((await raw(body)).status).toBe(200);
    expect(fabric.engine('quick').inferenceRequests[0]?.bodyText).toBe(
      body.replace('"model": "chat-fast"', '"model": "served/quick"'),
    );
  });

  test('to a path without /v1 is answered alike', async () => {
    const messages = [{ role: 'user', content: 'Hello' }];
    const bare = await fabric.controlPlane.post('/chat/completions', {
      model: 'chat-fast',
      messages,
      stream: true,
    });
    expect(await readStream(bare)).toMatchObject({ done: true });
    const models = await rawHttp(`${fabric.controlPlane.url}/models`, { method: 'GET' });
    expect(models.status).toBe(200);
    const wrong = await rawHttp(`${fabric.controlPlane.url}/v1/nothing`, {});
    expect(wrong.status).toBe(404);
    expect(errorOf(wrong.text)).toMatchObject({
      code: 'unknown_path',
      message: expect.stringContaining('/v1/chat/completions'),
    });
    const method = await rawHttp(chatUrl, { method: 'GET' });
    expect(method.status).toBe(405);
    expect(method.headers.allow).toBe('POST');
  });

  test('over TLS is answered like one in clear', async () => {
    const { Agent, fetch: undiciFetch } = await import('undici');
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    const answer = await undiciFetch(`${fabric.controlPlane.tlsUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'chat-fast', messages: [{ role: 'user', content: 'Hello' }] }),
      dispatcher,
    });
    expect(answer.status).toBe(200);
    await answer.text();
    await dispatcher.close();
  });
});

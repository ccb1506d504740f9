import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Grüße 🌍' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 11, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } },
});
const BODY = '{"model":"chat-fast","messages":[{"role":"user","content":"hi"}]}';

describe('an answer that is not streamed', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  it('comes back byte for byte, with what served it in the headers', async () => {
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json; charset=utf-8').end(ANSWER),
      ),
    );

    const answer = await ask(`${test.url}/v1/chat/completions`, {
      body: BODY,
      headers: { 'x-request-id': 'my-id-7' },
    });

    expect(answer.status).toBe(200);
    expect(answer.text).toBe(ANSWER);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(ANSWER)),
      'x-request-id': 'my-id-7',
      'x-fabric-host': 'host-of-replica-1',
      'x-fabric-replica': 'replica-1',
      'x-fabric-attempts': '1',
      'x-fabric-reason': 'least_cost',
    });
    expect(Number(answer.headers['x-fabric-overhead-ms'])).toBeGreaterThanOrEqual(0);
    expect(router.outcomes).toEqual([
      {
        target: 'replica-1',
        outcome: {
          kind: 'succeeded',
          promptTokens: 11,
          completionTokens: 3,
          cachedTokens: 8,
          wasPaused: false,
        },
      },
    ]);
    expect([...test.metrics.routes]).toMatchObject([
      { role: 'chat-fast', target: 'replica-1', promptTokens: 11, completionTokens: 3, cachedTokens: 8 },
    ]);
  });

  it('asks the engine under its own name for the model, and leaves every other byte as it came', async () => {
    const odd =
      '{ "seed":123456789012345678901234567890, "model" : "chat-fast",\n"unknown":{"model":"inner"},"messages":[] }';
    let seen = '';
    let headers: Record<string, unknown> = {};
    router.addDeployment(
      await test.engine((request, response, body) => {
        seen = body.toString();
        headers = request.headers;
        response.setHeader('content-type', 'application/json').end(ANSWER);
      }),
    );

    await ask(`${test.url}/v1/chat/completions?api-version=1`, {
      body: odd,
      headers: {
        authorization: 'Bearer not-needed',
        cookie: 'a=b',
        'x-stainless-os': 'Linux',
        traceparent: '00-1-2-01',
      },
    });

    expect(seen).toBe(odd.replace('"model" : "chat-fast"', '"model" : "served/replica-1"'));
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('x-stainless-os');
    expect(headers).toMatchObject({ 'content-type': 'application/json', traceparent: '00-1-2-01' });
  });

  it('is asked of a provider with its own key and model name', async () => {
    let seen: Record<string, unknown> = {};
    const url = await test.engine((request, response, body) => {
      seen = { path: request.url, key: request.headers.authorization, body: JSON.parse(body.toString()) };
      response.setHeader('content-type', 'application/json').end(ANSWER);
    });
    router.addProvider(`${url}/openai/v1/`);

    const answer = await ask(`${test.url}/chat/completions`, {
      body: BODY,
      headers: { authorization: 'Bearer mine' },
    });

    expect(seen).toMatchObject({
      path: '/openai/v1/chat/completions',
      key: 'Bearer sk-of-the-provider',
      body: { model: 'gpt-strong-1' },
    });
    expect(answer.headers).toMatchObject({ 'x-fabric-host': 'openai', 'x-fabric-replica': 'openai/strong' });
  });

  it('keeps base64 embeddings as they are', async () => {
    const vector = Buffer.from(Float32Array.from({ length: 1024 }, (_, index) => index / 7).buffer).toString(
      'base64',
    );
    const json = `{"object":"list","data":[{"embedding":"${vector}"}],"usage":{"prompt_tokens":5,"total_tokens":5}}`;
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json').end(json),
      ),
    );

    const body = '{"model":"chat-fast","input":"x","encoding_format":"base64"}';
    const answer = await ask(`${test.url}/v1/embeddings`, { body });

    expect(answer.text).toBe(json);
    expect(router.selected[0]).toMatchObject({ task: 'embeddings', mayCloud: true });
    expect(router.outcomes[0]?.outcome).toEqual({
      kind: 'succeeded',
      promptTokens: 5,
      completionTokens: null,
      cachedTokens: null,
      wasPaused: false,
    });
  });

  it('is passed through when it is larger than what is buffered', async () => {
    const json = `{"data":"${'x'.repeat(6 * 1024 * 1024)}"}`;
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json').end(json),
      ),
    );

    const answer = await ask(`${test.url}/v1/embeddings`, { body: BODY });

    expect(answer.text === json).toBe(true);
    expect(router.outcomes[0]?.outcome.kind).toBe('succeeded');
    expect(router.inflight).toBe(0);
  });

  it('is cancelled at the engine when the client hangs up, and frees its slot', async () => {
    let hungUp = false;
    router.addDeployment(
      await test.engine((_request, response) => {
        response.on('close', () => {
          hungUp = true;
        });
      }),
    );
    const controller = new AbortController();
    const asked = fetch(`${test.url}/v1/chat/completions`, {
      method: 'POST',
      body: BODY,
      signal: controller.signal,
    });
    await until(() => router.inflight === 1, 'the engine is asked');

    controller.abort();

    await expect(asked).rejects.toThrow();
    await until(() => hungUp, 'the engine sees its client gone');
    await until(() => router.inflight === 0, 'the slot is free');
    expect(router.outcomes).toEqual([{ target: 'replica-1', outcome: { kind: 'neutral' } }]);
    expect(router.releases).toBe(1);
    expect(test.metrics.openRequests).toBe(0);
    expect(test.gateway.openRequests).toBe(0);
  });

  it('frees its slot once for each of many clients that hang up at any moment', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'application/json').write(ANSWER.slice(0, 20));
        setTimeout(() => response.end(ANSWER.slice(20)), 10);
      }),
    );
    const all = Array.from({ length: 60 }, async (_, index) => {
      const controller = new AbortController();
      const asked = fetch(`${test.url}/v1/chat/completions`, {
        method: 'POST',
        body: BODY,
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(), index % 30);
      await asked.then((response) => response.text()).catch(() => undefined);
    });
    await Promise.all(all);

    await until(() => test.gateway.openRequests === 0, 'every request is over');
    expect(router.inflight).toBe(0);
    expect(router.releases).toBe(router.outcomes.length);
    expect(test.metrics.openRequests).toBe(0);
  });

  it('goes round again when its claim is lost to another request', async () => {
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json').end(ANSWER),
      ),
    );
    router.lostClaims = 3;

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(200);
    expect(answer.headers['x-fabric-attempts']).toBe('1');
  });

  it('is refused when its claims are lost again and again', async () => {
    router.addDeployment('http://127.0.0.1:1');
    router.lostClaims = 1_000;

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(503);
    expect(errorOf(answer).code).toBe('no_capacity');
    expect(answer.headers['retry-after']).toBe('1');
  });
});

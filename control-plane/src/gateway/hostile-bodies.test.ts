import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const STREAM = '{"model":"chat-fast","stream":true,"messages":[]}';

describe('what is odd in a body', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let seen: string[];
  /** As vLLM would, where it finds a value at fault. */
  let refusal: string | null;
  beforeEach(async () => {
    router = new FakeRouter();
    seen = [];
    refusal = null;
    test = await new TestGateway(router).start();
    router.addDeployment(
      await test.engine((_request, response, body) => {
        seen.push(body.toString());
        response.setHeader('content-type', 'application/json');
        if (refusal === null) response.end('{"choices":[]}');
        else response.writeHead(400).end(refusal);
      }),
    );
  });
  afterEach(() => test.close());

  const post = (body: string) => ask(`${test.url}/v1/chat/completions`, { body });

  it.each([
    ['negative max_tokens', '"max_tokens":-5'],
    ['a stream that is a string', '"stream":"true"'],
    ['a stream that is a number', '"stream":1'],
    ['choices below zero', '"n":-1'],
    ['max_tokens beyond all numbers', '"max_tokens":1e400'],
    ['messages that are none', '"messages":7'],
  ])('%s is the engine’s to judge, and its refusal is told as it is', async (_what, member) => {
    refusal = '{"error":{"message":"not so","type":"BadRequestError","param":"it","code":400}}';
    const answer = await post(`{"model":"chat-fast",${member}}`);

    expect(seen).toEqual([`{"model":"served/replica-1",${member}}`]);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ message: 'not so', param: 'it' });
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'neutral' });
  });

  it.each(['NaN', 'Infinity', '-Infinity', 'undefined', "'x'", '01', '.5', '+1'])(
    'a value that JSON has not (%s) is refused here',
    async (value) => {
      const answer = await post(`{"model":"chat-fast","temperature":${value}}`);
      expect(answer.status).toBe(400);
      expect(errorOf(answer).code).toBe('invalid_json');
      expect(seen).toEqual([]);
    },
  );

  it('each of several members with one name goes on; of several models each is the engine’s own', async () => {
    const answer = await post('{"model":"chat-deep","n":1,"model":"chat-fast","n":2}');
    expect(answer.status).toBe(200);
    expect(seen).toEqual(['{"model":"served/replica-1","n":1,"model":"served/replica-1","n":2}']);
  });

  it.each([
    ['lists', `${'['.repeat(1_000)}"chat-fast"${']'.repeat(1_000)}`],
    ['objects', `${'{"model":'.repeat(1_000)}"chat-fast"${'}'.repeat(1_000)}`],
  ])('a model that is nested 1,000 %s deep is refused here', async (_what, nested) => {
    const answer = await post(`{"model":${nested}}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toContain('200');
    expect(seen).toEqual([]);
  });
});

describe('an engine', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter({ firstByteTimeoutSeconds: 0.2 });
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  const askStream = (body = STREAM) => ask(`${test.url}/v1/chat/completions`, { body });

  it('that sends its head and then nothing is asked no longer, and another instead', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').flushHeaders();
      }),
    );
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').end(EVENT + DONE);
      }),
    );
    const answer = await askStream();

    expect(answer.text).toBe(EVENT + DONE);
    expect(router.outcomes.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'failed', code: 'first_byte_timeout' },
      { kind: 'succeeded' },
    ]);
  });

  it('that streams to one who asked with a string is relayed by what it sends', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').end(EVENT + DONE);
      }),
    );
    const answer = await askStream('{"model":"chat-fast","stream":"true"}');
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.text).toBe(EVENT + DONE);
  });

  it('that sends a megabyte in one line is relayed byte for byte, in pieces of any size', async () => {
    const line = `data: {"choices":[{"delta":{"content":"${'ü🌍'.repeat(175_000)}"}}]}\n\n`;
    const sent = Buffer.from(line + DONE);
    expect(sent.length).toBeGreaterThan(1024 * 1024);
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream');
        for (let at = 0; at < sent.length; at += 7_919) response.write(sent.subarray(at, at + 7_919));
        response.end();
      }),
    );
    const answer = await askStream();
    expect(answer.bytes.equals(sent)).toBe(true);
  });

  it.each([
    ['a word', 'data: {"choi'],
    ['a character', Buffer.from(`${EVENT}data: "ü`).subarray(EVENT.length, -1)],
    ['its blank line', 'data: {"choices":[]}\n'],
  ])('that closes in the middle of an event, inside %s, has none of it relayed', async (_where, half) => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(EVENT);
        response.write(half, () => response.destroy());
      }),
    );
    const answer = await askStream();
    expect(answer.isWhole).toBe(true);
    const [own = '', told = ''] = [answer.text.slice(0, EVENT.length), answer.text.slice(EVENT.length)];
    expect(own).toBe(EVENT);
    expect(told).toMatch(/^data: \{"error":\{.*"code":"upstream_interrupted"\}\}\n\n$/);
    await until(() => router.inflight === 0, 'the slot is free');
  });
});

import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, TestGateway, until } from './testing/test-gateway.js';

const EVENTS = 'data: {"choices":[]}\n\ndata: [DONE]\n\n';

describe('while the gateway closes', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  it('an answer that comes in time tells the client to come back on a new connection', async () => {
    const waiting: ServerResponse[] = [];
    router.addDeployment(await test.engine((_request, response) => void waiting.push(response)));
    const plain = ask(`${test.url}/v1/chat/completions`, {
      body: '{"model":"chat-fast"}',
      headers: { connection: 'keep-alive' },
    });
    const streamed = ask(`${test.url}/v1/chat/completions`, {
      body: '{"model":"chat-fast","stream":true}',
      headers: { connection: 'keep-alive' },
    });
    await until(() => waiting.length === 2, 'both are asked');

    const closed = test.gateway.close(5_000);
    waiting[0]?.setHeader('content-type', 'application/json').end('{"choices":[]}');
    waiting[1]?.setHeader('content-type', 'text/event-stream').end(EVENTS);

    for (const answer of await Promise.all([plain, streamed])) {
      expect(answer.status).toBe(200);
      expect(answer.isWhole).toBe(true);
      expect(answer.headers.connection).toBe('close');
    }
    await closed;
    expect(router.outcomes.map(({ outcome }) => outcome.kind)).toEqual(['succeeded', 'succeeded']);
  });

  it('a request without a stream that takes too long is refused with when to come again', async () => {
    let asked = 0;
    router.addDeployment(await test.engine(() => void asked++));
    const answer = ask(`${test.url}/v1/chat/completions`, { body: '{"model":"chat-fast"}' });
    await until(() => asked === 1, 'it is asked');
    await test.gateway.close(20);
    const { status, headers, text } = await answer;
    expect(status).toBe(503);
    expect(headers).toMatchObject({ 'retry-after': '5', connection: 'close' });
    expect(text).toContain('"code":"shutting_down"');
  });
});

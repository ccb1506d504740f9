import { request as httpRequest } from 'node:http';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WaitDecision } from '../router/route-types.js';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const WAIT: WaitDecision = {
  kind: 'wait',
  reason: 'loading',
  detail: 'replica-1: its replica on armitage is\nloading',
  waitsFor: ['replica-1'],
  lookAgainInMs: null,
  patienceMs: 50_000,
  considered: [{ target: 'replica-1', verdict: 'not_ready', costSeconds: null }],
};
const JSON_ANSWER = JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } });

describe('a held request', () => {
  let router: FakeRouter;
  let clock: ManualClock;
  let gateway: TestGateway;

  beforeEach(async () => {
    router = new FakeRouter();
    clock = new ManualClock();
    gateway = await new TestGateway(router, { clock }).start();
    const url = await gateway.engine((_, response, body) => {
      const { stream } = JSON.parse(body.toString()) as { stream?: boolean };
      response.setHeader('content-type', stream === true ? 'text/event-stream' : 'application/json');
      response.end(stream === true ? 'data: {"choices":[]}\n\ndata: [DONE]\n\n' : JSON_ANSWER);
    });
    router.addDeployment(url);
    router.wait = WAIT;
  });
  afterEach(() => gateway.close());

  const post = (stream: boolean, headers: Readonly<Record<string, string>> = {}) =>
    ask(`${gateway.url}/v1/chat/completions`, {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'chat-fast', messages: [], stream }),
    });
  const untilHeld = () => until(() => router.held.size === 1, 'it is held');
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) clock.advance(Math.min(100, ms - passed));
  };
  const serve = (): void => {
    router.wait = null;
    router.wake();
  };

  it('is answered when its target is there, and tells how long it was held', async () => {
    const asked = post(false);
    await untilHeld();
    await pass(12_000);
    serve();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers['x-fabric-queue-ms']).toBe('12000');
    expect(Number(answer.headers['x-fabric-overhead-ms'])).toBe(0);
    expect(gateway.records[0]).toMatchObject({ outcome: 'ok', queueMs: 12_000 });
    expect(gateway.records[0]?.rounds.map(({ reason }) => reason)).toEqual(['held_loading', 'least_cost']);
    expect([...gateway.metrics.holds]).toMatchObject([
      { role: 'chat-fast', outcome: 'served', held: { sum: 12 } },
    ]);
  });

  it('that only waits for prompts to be read gets no comments and leaves no round', async () => {
    router.wait = { ...WAIT, reason: 'paced' };
    const asked = post(true);
    await untilHeld();
    await pass(26_000);
    serve();
    const answer = await asked;
    expect(answer.headers['x-fabric-queue-ms']).toBe('26000');
    expect(answer.text).toBe('data: {"choices":[]}\n\ndata: [DONE]\n\n');
    expect(gateway.records[0]?.rounds.map(({ reason }) => reason)).toEqual(['least_cost']);
    expect([...gateway.metrics.holds]).toMatchObject([{ role: 'chat-fast', outcome: 'paced' }]);
  });

  it('that was not held carries no such header', async () => {
    router.wait = null;
    expect((await post(false)).headers['x-fabric-queue-ms']).toBeUndefined();
  });

  it('of a stream is told what is waited for, after 15 s and then each 10 s, and then answered', async () => {
    const asked = post(true);
    await untilHeld();
    await pass(26_000);
    serve();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers['x-fabric-reason']).toBe('held');
    expect(answer.text).toBe(
      ': held for 15 s; 3 ahead, about 9 s; replica-1: its replica on armitage is loading\n\n' +
        ': held for 25 s; 3 ahead, about 9 s; replica-1: its replica on armitage is loading\n\n' +
        ': served by replica-1 on host-of-replica-1 after 26 s\n\n' +
        'data: {"choices":[]}\n\ndata: [DONE]\n\n',
    );
  });

  it('of a stream that is refused before a comment has an honest status', async () => {
    router.candidates.length = 0;
    const asked = post(true);
    await untilHeld();
    await pass(14_000);
    serve();
    const answer = await asked;
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('7');
    expect(errorOf(answer).code).toBe('all_failed');
  });

  it('of a stream that is refused after a comment ends with an error event', async () => {
    router.candidates.length = 0;
    const asked = post(true);
    await untilHeld();
    await pass(16_000);
    serve();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.isWhole).toBe(true);
    expect(answer.text).toMatch(/^: held for 15 s.*\n\ndata: \{"error":\{.*"code":"all_failed"\}\}\n\n$/);
    expect(gateway.records[0]).toMatchObject({ outcome: 'refused', status: 200 });
  });

  it('whose patience is over waits no more: it goes to what there is, or is refused', async () => {
    const asked = post(false);
    await untilHeld();
    await pass(50_000);
    const [held] = router.held;
    held?.patienceOver(router.outlook);
    expect((await asked).status).toBe(200);
    expect(router.selected.at(-1)?.mayWait).toBe(false);
    expect([...gateway.metrics.holds]).toMatchObject([{ outcome: 'patience_over' }]);
  });

  it.each(['patienceOver', 'displaced'] as const)(
    'that is refused after %s says how it stood in the queue, and when to come again',
    async (why) => {
      router.candidates.length = 0;
      const asked = post(false);
      await untilHeld();
      for (const held of router.held) held[why](router.outlook);
      const answer = await asked;
      expect(answer.status).toBe(503);
      expect(answer.headers).toMatchObject({
        'x-fabric-queue-position': '4',
        'x-fabric-queue-eta-ms': '9400',
        'retry-after': '10',
      });
      expect(errorOf(answer).message).toBe(
        'nothing is left for "chat-fast"; it was number 4 in the queue, about 9 s from its turn',
      );
      expect(router.held.size).toBe(0);
      const outcome = why === 'displaced' ? 'displaced' : 'patience_over';
      expect([...gateway.metrics.holds]).toMatchObject([{ outcome, requestClass: 'normal' }]);
    },
  );

  it('is in the class and held for as long as its headers say, else as its role declares', async () => {
    router.role = { ...router.role, class: 'interactive' };
    const asked = [post(false), post(false, { 'x-fabric-class': ' Batch ', 'x-fabric-max-wait': '2.5' })];
    await until(() => router.held.size === 2, 'both are held');
    expect([...router.held].map(({ requestClass }) => requestClass).sort()).toEqual(['batch', 'interactive']);
    const wishes = router.selected.map(({ requestClass, maxWaitMs }) => [requestClass, maxWaitMs]);
    expect(wishes).toContainEqual(['batch', 2_500]);
    expect(wishes).toContainEqual(['interactive', null]);
    serve();
    await Promise.all(asked);
    const reasons = gateway.records.flatMap(({ rounds }) => rounds.map(({ reason }) => reason));
    expect(reasons).toContain('held_loading_batch');
  });

  it.each([
    {
      headers: { 'x-fabric-class': 'urgent' },
      told: /x-fabric-class is "urgent"; expected one of interactive, normal, batch/,
    },
    { headers: { 'x-fabric-max-wait': 'soon' }, told: /x-fabric-max-wait is "soon"; expected seconds/ },
    { headers: { 'x-fabric-max-wait': '-1' }, told: /x-fabric-max-wait is "-1"/ },
    {
      headers: { 'x-fabric-local-only': 'yes' },
      told: /x-fabric-local-only is "yes"; expected true or false/,
    },
  ])('is refused for $headers', async ({ headers, told }) => {
    const answer = await post(false, headers);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_request', message: expect.stringMatching(told) });
    expect(router.selected).toEqual([]);
  });

  it('whose client hangs up leaves the queue at once', async () => {
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false });
    request.on('error', () => undefined);
    request.end(JSON.stringify({ model: 'chat-fast', messages: [] }));
    await untilHeld();
    request.destroy();
    await until(() => router.held.size === 0, 'it has left');
    expect(gateway.records[0]).toMatchObject({ outcome: 'client_gone', status: null });
  });

  it('is refused at once when the gateway closes, whatever the grace', async () => {
    const asked = post(false);
    await untilHeld();
    const closed = gateway.gateway.close(60_000);
    const answer = await asked;
    expect(answer.status).toBe(503);
    expect(errorOf(answer).code).toBe('shutting_down');
    expect(router.held.size).toBe(0);
    await closed;
  });

  it('that meets a full engine waits again, and may be sent there again', async () => {
    let isFull = true;
    const url = await gateway.engine((_, response) => {
      if (isFull) router.wait = WAIT;
      response.writeHead(isFull ? 503 : 200, { 'content-type': 'application/json' });
      response.end(isFull ? '{"error":{"message":"queue full"}}' : JSON_ANSWER);
    });
    router.candidates.length = 0;
    router.addDeployment(url);
    router.wait = null;
    const asked = post(false);
    await untilHeld();
    isFull = false;
    serve();
    expect((await asked).status).toBe(200);
    expect(router.inflight).toBe(0);
  });
});

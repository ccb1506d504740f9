import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const ANSWER = '{"choices":[]}';
const BODY = '{"model":"chat-fast","messages":[]}';
const STREAM_BODY = '{"model":"chat-fast","stream":true,"messages":[]}';
const EVENT = 'data: {"choices":[{}]}\n\n';

describe('the deadlines of an attempt', () => {
  let clock: ManualClock;
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    clock = new ManualClock();
    router = new FakeRouter({
      firstByteTimeoutSeconds: 20,
      idleTimeoutSeconds: 30,
      totalTimeoutSeconds: 100,
    });
    test = await new TestGateway(router, { clock }).start();
  });
  afterEach(() => test.close());

  const silent = async (): Promise<{ requests: () => number; hungUp: () => boolean }> => {
    let requests = 0;
    let isGone = false;
    const url = await test.engine((_request, response) => {
      requests++;
      response.on('close', () => {
        isGone = true;
      });
    });
    router.addDeployment(url, 'silent');
    return { requests: () => requests, hungUp: () => isGone };
  };

  it('ask an engine that never answers no longer, and another instead', async () => {
    const engine = await silent();
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json').end(ANSWER),
      ),
      'healthy',
    );
    const asked = ask(`${test.url}/v1/chat/completions`, { body: BODY });
    await until(() => engine.requests() === 1, 'the engine is asked');

    clock.advance(19_000);
    expect(router.outcomes).toEqual([]);
    clock.advance(1_200);

    expect((await asked).text).toBe(ANSWER);
    await until(engine.hungUp, 'the silent engine is left');
    expect(router.outcomes[0]).toEqual({
      target: 'silent',
      outcome: { kind: 'failed', code: 'first_byte_timeout' },
    });
  });

  it('answer 504 where there is no other', async () => {
    const engine = await silent();
    const asked = ask(`${test.url}/v1/chat/completions`, { body: STREAM_BODY });
    await until(() => engine.requests() === 1, 'the engine is asked');
    clock.advance(20_200);

    const answer = await asked;
    expect(answer.status).toBe(504);
    expect(errorOf(answer).code).toBe('upstream_timeout');
  });

  it('give an answer that is not streamed time for the tokens that it may have', async () => {
    const engine = await silent();
    const body = '{"model":"chat-fast","max_tokens":300,"messages":[]}';
    const asked = ask(`${test.url}/v1/chat/completions`, { body });
    await until(() => engine.requests() === 1, 'the engine is asked');

    clock.advance(49_000);
    expect(router.outcomes).toEqual([]);
    clock.advance(1_200);

    expect((await asked).status).toBe(504);
  });

  it('end a stream that stalls with an error event, but not one that trickles', async () => {
    let engine: ServerResponse | undefined;
    router.addDeployment(
      await test.engine((_request, response) => {
        engine = response;
        response.setHeader('content-type', 'text/event-stream').write(EVENT);
      }),
    );
    const received: string[] = [];
    const asked = ask(`${test.url}/v1/chat/completions`, { body: STREAM_BODY }).then((answer) => {
      received.push(answer.text);
    });
    await until(() => router.answeredCount === 1, 'the stream flows');

    for (let events = 0; events < 2; events++) {
      clock.advance(25_000);
      const inflight = test.metrics.openRequests;
      engine?.write(EVENT);
      await settle(() => inflight === 1);
    }
    expect(received).toEqual([]);
    clock.advance(30_200);
    await asked;

    expect(received[0]).toBe(received[0]?.trimStart());
    expect(received[0]).toContain('"code":"upstream_interrupted"');
    expect(received[0]).toContain('idle_timeout');
    expect(router.outcomes).toEqual([
      { target: 'replica-1', outcome: { kind: 'failed', code: 'idle_timeout' } },
    ]);
  });

  it('end a stream soon behind [DONE], though the engine holds its connection open', async () => {
    const whole = `${EVENT}data: [DONE]\n\n`;
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(whole);
      }),
    );
    const asked = ask(`${test.url}/v1/chat/completions`, { body: STREAM_BODY });
    await until(() => router.answeredCount === 1, 'the stream flows');
    clock.advance(2_200);

    const answer = await asked;
    expect(answer.isWhole).toBe(true);
    expect(answer.text).toBe(whole);
    expect(router.outcomes[0]?.outcome.kind).toBe('succeeded');
  });

  it('end a request whose whole time is over, and blame no engine that was still writing', async () => {
    let engine: ServerResponse | undefined;
    router.addDeployment(
      await test.engine((_request, response) => {
        engine = response;
        response.setHeader('content-type', 'text/event-stream').write(EVENT);
      }),
    );
    const asked = ask(`${test.url}/v1/chat/completions`, { body: STREAM_BODY });
    await until(() => router.answeredCount === 1, 'the stream flows');
    for (let seconds = 0; seconds < 110; seconds += 10) {
      clock.advance(10_000);
      engine?.write(EVENT);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect((await asked).text).toContain('total_timeout');
    expect(router.outcomes).toEqual([{ target: 'replica-1', outcome: { kind: 'neutral' } }]);
  });

  it('drop a client that stops reading, and free its engine', async () => {
    router = new FakeRouter({ idleTimeoutSeconds: 3_000, totalTimeoutSeconds: 3_000 });
    const own = await new TestGateway(router, { clock }).start();
    let hungUp = false;
    const event = `data: ${'x'.repeat(60_000)}\n\n`;
    router.addDeployment(
      await own.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream');
        const more = (): void => {
          while (response.write(event));
          response.once('drain', more);
        };
        more();
        response.on('close', () => {
          hungUp = true;
        });
      }),
    );
    const socket = connect(own.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${STREAM_BODY.length}\r\n\r\n${STREAM_BODY}`,
    );
    await until(() => router.answeredCount === 1, 'the stream flows');

    await until(() => {
      clock.advance(10_000);
      return hungUp;
    }, 'the engine is free');

    expect(router.outcomes).toEqual([{ target: 'replica-1', outcome: { kind: 'neutral' } }]);
    expect(own.gateway.openRequests).toBe(0);
    socket.destroy();
    await own.close();
  });
});

/** Lets what was written travel: the condition holds already, sockets need a few turns. */
async function settle(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  await until(condition, 'things are settled');
}

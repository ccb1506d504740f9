import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`;
const USAGE = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n';
const finish = (index: number): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index, delta: {}, finish_reason: 'stop' }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';
const BODY = '{"model":"chat-fast","stream":true,"messages":[]}';
const BODY_WITH_USAGE =
  '{"model":"chat-fast","stream":true,"stream_options":{"include_usage":true},"messages":[]}';

describe('a stream', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  /** An engine that writes these pieces, each once the one before has left. */
  async function addEngine(...pieces: (string | Buffer)[]): Promise<void> {
    router.addDeployment(await test.engine((_request, response) => stream(response, pieces, true)));
  }
  const askStream = (body = BODY) => ask(`${test.url}/v1/chat/completions`, { body });

  it('comes back byte for byte, less the usage event that nobody asked for', async () => {
    await addEngine(chunk('Grü'), chunk('ße 🌍'), USAGE, DONE);

    const answer = await askStream();

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.headers['x-fabric-replica']).toBe('replica-1');
    expect(answer.text).toBe(chunk('Grü') + chunk('ße 🌍') + DONE);
    expect(router.outcomes).toEqual([
      {
        target: 'replica-1',
        outcome: {
          kind: 'succeeded',
          promptTokens: 7,
          completionTokens: 2,
          cachedTokens: null,
          wasPaused: false,
        },
      },
    ]);
    expect(router.events).toBe(4);
    expect(router.selected[0]?.hints).toMatchObject({ streams: true, choices: 1 });
    expect([...test.metrics.routes]).toMatchObject([
      { requests: { ok: 1 }, promptTokens: 7, completionTokens: 2, ttft: { count: 1 } },
    ]);
  });

  it('brings the usage event to a client that asked for it', async () => {
    let asked: Record<string, unknown> = {};
    router.addDeployment(
      await test.engine((_request, response, body) => {
        asked = JSON.parse(body.toString());
        stream(response, [chunk('a'), USAGE, DONE], true);
      }),
    );

    const answer = await askStream(BODY_WITH_USAGE);

    expect(asked).toMatchObject({ stream_options: { include_usage: true }, model: 'served/replica-1' });
    expect(answer.text).toBe(chunk('a') + USAGE + DONE);
  });

  it('reads the usage that stands in the last event with choices', async () => {
    const last =
      'data: {"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":1}}\n\n';
    await addEngine(chunk('a'), last, DONE);

    const answer = await askStream();

    expect(answer.text).toBe(chunk('a') + last + DONE);
    expect(router.outcomes[0]?.outcome).toEqual({
      kind: 'succeeded',
      promptTokens: 4,
      completionTokens: 1,
      cachedTokens: null,
      wasPaused: false,
    });
  });

  it('is the same wherever the engine cuts it, inside a UTF-8 character or a CRLF too', async () => {
    let pieces: Buffer[] = [];
    router.addDeployment(await test.engine((_request, response) => stream(response, pieces, true)));
    const text = fc.string({ unit: 'grapheme', maxLength: 12 });
    const end = fc.constantFrom('\n', '\r\n');
    const event = fc.tuple(text, end).map(([content, lineEnd]) => chunk(content).replaceAll('\n', lineEnd));

    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (events, cuts) => {
          const sent = Buffer.from(events.join('') + USAGE + DONE);
          const points = [...new Set([0, ...cuts.map((at) => at % sent.length), sent.length])].sort(
            (a, b) => a - b,
          );
          pieces = points.slice(1).map((point, index) => sent.subarray(points[index], point));

          const answer = await askStream();

          expect(answer.text).toBe(events.join('') + DONE);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('brings each event as soon as it is whole', async () => {
    let engine: ServerResponse | undefined;
    router.addDeployment(
      await test.engine((_request, response) => {
        engine = response;
        response.setHeader('content-type', 'text/event-stream').write(`${chunk('one')}data: {"par`);
      }),
    );
    const { response, text } = await open(test.port, BODY);

    await until(() => text() === chunk('one'), 'the first event is there, alone');
    engine?.write('tial":1}\n\n');
    await until(
      () => text() === `${chunk('one')}data: {"partial":1}\n\n`,
      'the second is there once it is whole',
    );
    engine?.end(DONE);
    await until(() => response.complete, 'the stream ends');
  });

  it('ends with an error event, and without [DONE], when the engine dies in the middle', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(`${chunk('a')}data: {"half`);
        setTimeout(() => response.destroy(), 20);
      }),
    );

    const answer = await askStream();

    expect(answer.isWhole).toBe(true);
    expect(answer.text.startsWith(chunk('a'))).toBe(true);
    expect(answer.text).not.toContain('[DONE]');
    expect(answer.text).not.toContain('half');
    expect(JSON.parse(answer.text.slice(chunk('a').length + 'data: '.length))).toMatchObject({
      error: { type: 'server_error', param: null, code: 'upstream_interrupted' },
    });
    expect(router.outcomes).toEqual([
      { target: 'replica-1', outcome: { kind: 'failed', code: 'truncated' } },
    ]);
    expect([...test.metrics.routes][0]?.requests.interrupted).toBe(1);
  });

  it('counts as interrupted when it ends without [DONE]', async () => {
    await addEngine(chunk('a'));

    const answer = await askStream();

    expect(answer.text).toContain('"code":"upstream_interrupted"');
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'failed', code: 'truncated' });
  });

  it.each([
    { what: 'its one choice has told why it ended', n: 1, ended: [0] },
    { what: 'all its choices have', n: 2, ended: [1, 0] },
  ])('is whole without [DONE] when $what', async ({ n, ended }) => {
    const ends = ended.map(finish);
    await addEngine(chunk('a'), ...ends, USAGE);

    const answer = await askStream(`{"model":"chat-fast","stream":true,"n":${n},"messages":[]}`);

    expect(answer.text).toBe(chunk('a') + ends.join(''));
    expect(answer.isWhole).toBe(true);
    expect(router.outcomes[0]?.outcome).toEqual({
      kind: 'succeeded',
      promptTokens: 7,
      completionTokens: 2,
      cachedTokens: null,
      wasPaused: false,
    });
  });

  it('is interrupted without [DONE] while one of its choices has not ended', async () => {
    await addEngine(chunk('a'), finish(0));

    const answer = await askStream('{"model":"chat-fast","stream":true,"n":2,"messages":[]}');

    expect(answer.text).toContain('"code":"upstream_interrupted"');
  });

  it('is interrupted when its connection breaks, whatever its choices told', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk('a') + finish(0));
        setTimeout(() => response.destroy(), 20);
      }),
    );

    expect((await askStream()).text).toContain('"code":"upstream_interrupted"');
  });

  it('is whole when the last blank line is missing behind [DONE]', async () => {
    await addEngine(chunk('a'), 'data: [DONE]');

    const answer = await askStream();

    expect(answer.text).toBe(`${chunk('a')}data: [DONE]`);
    expect(router.outcomes[0]?.outcome.kind).toBe('succeeded');
  });

  it("passes the engine's own error event on, and adds none", async () => {
    const error =
      'data: {"error":{"message":"CUDA","type":"InternalServerError","param":null,"code":500}}\n\n';
    await addEngine(chunk('a'), error, DONE);
    expect((await askStream()).text).toBe(chunk('a') + error + DONE);

    router.candidates.length = 0;
    await addEngine(chunk('a'), error);
    expect((await askStream()).text).toBe(chunk('a') + error);
    expect(router.outcomes.map(({ outcome }) => outcome.kind)).toEqual(['failed', 'failed']);
  });

  it('is asked elsewhere when the engine dies before its first event is whole', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write('data: {"half');
        setTimeout(() => response.destroy(), 20);
      }),
    );
    await addEngine(chunk('b'), DONE);

    const answer = await askStream();

    expect(answer.text).toBe(chunk('b') + DONE);
    expect(answer.headers['x-fabric-attempts']).toBe('2');
    expect(answer.headers['x-fabric-reason']).toBe('least_cost; replica-1=truncated');
  });

  it('is relayed as JSON where the engine does not stream', async () => {
    const json = '{"choices":[{}],"usage":{"prompt_tokens":1}}';
    router.addDeployment(
      await test.engine((_request, response) =>
        response.setHeader('content-type', 'application/json').end(json),
      ),
    );

    const answer = await askStream();

    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.text).toBe(json);
  });

  it('ends with an error event when one event is larger than what is held', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk('a'));
        response.end(`data: ${'x'.repeat(5 * 1024 * 1024)}\n\n${DONE}`);
      }),
    );

    const answer = await askStream();

    expect(answer.text).toContain('upstream_interrupted');
    expect(answer.bytes.length).toBeLessThan(1_000);
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'failed', code: 'answer_too_large' });
  });

  it('is cancelled at the engine when the client hangs up, and frees its slot once', async () => {
    let hungUp = false;
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk('a'));
        response.on('close', () => {
          hungUp = true;
        });
      }),
    );
    const { response, text } = await open(test.port, BODY);
    await until(() => text() === chunk('a'), 'the stream flows');

    response.destroy();

    await until(() => hungUp, 'the engine sees its client gone');
    await until(() => router.inflight === 0, 'the slot is free');
    expect(router.outcomes).toEqual([{ target: 'replica-1', outcome: { kind: 'neutral' } }]);
    expect(router.releases).toBe(1);
    expect([...test.metrics.routes][0]?.requests.client_gone).toBe(1);
  });

  it('counts as served when the client hangs up behind [DONE]', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk('a') + DONE);
      }),
    );
    const { response, text } = await open(test.port, BODY);
    await until(() => text() === chunk('a') + DONE, 'the stream is whole');

    response.destroy();

    await until(() => router.inflight === 0, 'the slot is free');
    expect(router.outcomes[0]?.outcome.kind).toBe('succeeded');
  });

  it.each([
    { kilobytes: 64, events: 2_000, heldUp: 500 },
    { kilobytes: 2, events: 30_000, heldUp: 16_000 },
  ])(
    'is paused at the engine while the client does not read ($kilobytes KB an event)',
    async (size) => {
      const event = chunk('x'.repeat(size.kilobytes * 1024));
      let written = 0;
      router.addDeployment(
        await test.engine((_request, response) => {
          response.setHeader('content-type', 'text/event-stream');
          const more = (): void => {
            while (written < size.events) {
              written++;
              if (!response.write(event)) {
                response.once('drain', more);
                return;
              }
            }
            response.end(DONE);
          };
          more();
        }),
      );
      const socket = connect(test.port, '127.0.0.1');
      socket.pause();
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      );
      let before = -1;
      await until(() => {
        const isStill = written > 0 && written === before;
        before = written;
        return isStill;
      }, 'the engine is held up');
      expect(written).toBeLessThan(size.heldUp);

      let received = 0;
      socket.on('data', (bytes: Buffer) => {
        received += bytes.length;
        if (bytes.includes('[DONE]')) socket.destroy();
      });
      socket.resume();
      await until(() => socket.destroyed, 'all comes once the client reads', 20_000);
      expect(written).toBe(size.events);
      expect(received).toBeGreaterThan(size.events * event.length);
      await until(() => router.inflight === 0, 'the slot is free');
    },
    30_000,
  );

  it('ends with an error event when the gateway is closed, after a time of grace', async () => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk('a'));
      }),
    );
    const { response, text } = await open(test.port, BODY);
    await until(() => text() === chunk('a'), 'the stream flows');

    const closed = test.gateway.close(50);
    const late = await ask(`${test.url}/v1/chat/completions`, { body: BODY });
    await closed;

    expect(late.status).toBe(503);
    expect(errorOf(late).code).toBe('shutting_down');
    expect(late.headers['retry-after']).toBe('5');
    await until(() => response.complete, 'the stream ends');
    expect(text()).toContain('"code":"shutting_down"');
    expect(text()).not.toContain('[DONE]');
    expect(router.inflight).toBe(0);
  });
});

function stream(response: ServerResponse, pieces: readonly (string | Buffer)[], ends: boolean): void {
  if (!response.headersSent) response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  const [piece, ...rest] = pieces;
  if (piece === undefined) {
    if (ends) response.end();
    return;
  }
  // The next piece in a turn of its own, so that it travels as a chunk of its own.
  response.write(piece, () => setImmediate(() => stream(response, rest, ends)));
}

async function open(port: number, body: string): Promise<{ response: IncomingMessage; text: () => string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      { port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', agent: false },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
  const chunks: Buffer[] = [];
  response.on('data', (bytes: Buffer) => chunks.push(bytes));
  response.on('error', () => undefined);
  return { response, text: () => Buffer.concat(chunks).toString() };
}

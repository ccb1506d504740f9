import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway } from './testing/test-gateway.js';

const ANSWER = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}';
const BODY = '{"model":"chat-fast","messages":[]}';
const STREAM_BODY = '{"model":"chat-fast","stream":true,"messages":[]}';

const answerJson = (response: ServerResponse, status: number, json: string, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(json);
};

describe('a failed attempt', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  const addHealthy = async (): Promise<void> => {
    router.addDeployment(await test.engine((_request, response) => answerJson(response, 200, ANSWER)));
  };
  const askChat = (body = BODY) => ask(`${test.url}/v1/chat/completions`, { body });

  const head = (rest: string): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${rest}`;
  it.each<[string, string, string]>([
    ['an engine that hangs up at once', '', 'reset'],
    ['one that does not speak HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'protocol_error'],
    ['HTML', 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>', 'not_json'],
    [
      'a redirect',
      'HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      'redirected',
    ],
    ['an answer shorter than its length', `${head('content-length: 100')}\r\n\r\n{"a":1`, 'truncated'],
    [
      'a chunked answer without its end',
      `${head('transfer-encoding: chunked')}\r\n\r\n3\r\n{"a\r\n`,
      'truncated',
    ],
    ['half an answer with no length at all', `${head('connection: close')}\r\n\r\n{"a":`, 'truncated'],
    ['an answer that is empty', `${head('content-length: 0')}\r\n\r\n`, 'truncated'],
    ['an answer that is not one object', `${head('content-length: 4')}\r\n\r\nnull`, 'truncated'],
    ['502', 'HTTP/1.1 502 x\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n502', 'status_502'],
    ['504', 'HTTP/1.1 504 x\r\ncontent-length: 0\r\n\r\n', 'status_504'],
    ['500', 'HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n', 'status_500'],
    ['401', 'HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n', 'unauthorized'],
    ['404', 'HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n', 'model_unknown_there'],
    ['204', 'HTTP/1.1 204 x\r\n\r\n', 'not_json'],
  ])('by %s is made good elsewhere', async (_what, raw, code) => {
    router.addDeployment(await test.rawEngine((socket) => socket.end(raw)), 'broken');
    await addHealthy();

    const answer = await askChat();

    expect(answer.text).toBe(ANSWER);
    expect(answer.headers['x-fabric-attempts']).toBe('2');
    expect(answer.headers['x-fabric-reason']).toBe(`least_cost; broken=${code}`);
    expect(router.outcomes).toMatchObject([
      { target: 'broken', outcome: { kind: 'failed', code } },
      { target: 'replica-2', outcome: { kind: 'succeeded' } },
    ]);
    expect(router.inflight).toBe(0);
    expect([...test.metrics.failures]).toEqual([{ target: 'broken', code, failures: 1 }]);
    expect(test.metrics.retriesTotal).toBe(1);
    expect(test.logLines).toHaveLength(1);
    expect(JSON.parse(test.logLines[0] ?? '')).toMatchObject({
      ...{ level: 40, outcome: 'ok', target: 'replica-2', attempts: 2 },
      failures: [{ target: 'broken', code, suppressed: 0 }],
    });
  });

  it('by an engine that is not there is made good elsewhere', async () => {
    router.addDeployment('http://127.0.0.1:1', 'gone');
    await addHealthy();

    const answer = await askChat();

    expect(answer.text).toBe(ANSWER);
    expect(router.outcomes[0]).toEqual({
      target: 'gone',
      outcome: { kind: 'failed', code: 'connect_refused' },
    });
  });

  it('by a full engine is no failure of it', async () => {
    router.addDeployment(await test.engine((_request, response) => answerJson(response, 503, '{}')), 'full');
    await addHealthy();

    const answer = await askChat();

    expect(answer.text).toBe(ANSWER);
    expect(router.outcomes[0]).toEqual({ target: 'full', outcome: { kind: 'busy' } });
  });

  it('is told to the client when there is nowhere else, with its reason and without what the engine said', async () => {
    const secret = '{"error":{"message":"key sk-SECRET is wrong"}}';
    router.addDeployment(await test.engine((_request, response) => answerJson(response, 401, secret)));

    const answer = await askChat();

    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', code: 'upstream_misconfigured' });
    expect(answer.text).not.toContain('SECRET');
    expect(answer.headers).toMatchObject({
      'x-fabric-attempts': '1',
      'x-fabric-replica': 'replica-1',
      'x-fabric-reason': 'all_failed; replica-1=unauthorized',
      'retry-after': '7',
      'content-type': 'application/json',
    });
    expect(test.logLines[0]).toContain('SECRET');
  });

  it.each<[string, number, string, number]>([
    ['connect_refused', 502, 'upstream_unreachable', 0],
    ['status_503', 503, 'no_capacity', 503],
    ['status_502', 502, 'upstream_error', 502],
  ])('of every target (%s) is answered %i %s', async (_code, status, code, engineStatus) => {
    const url = await test.engine((_request, response) => answerJson(response, engineStatus, '{}'));
    for (const name of ['a', 'b', 'c'])
      router.addDeployment(engineStatus === 0 ? 'http://127.0.0.1:1' : url, name);

    const answer = await askChat();

    expect(answer.status).toBe(status);
    expect(errorOf(answer).code).toBe(code);
    expect(answer.headers['x-fabric-attempts']).toBe('3');
    expect(answer.headers['retry-after']).toBeDefined();
    expect(router.inflight).toBe(0);
  });

  it('is not repeated without end', async () => {
    for (let index = 0; index < 10; index++) router.addDeployment('http://127.0.0.1:1', `gone-${index}`);

    const answer = await askChat();

    expect(answer.status).toBe(502);
    expect(answer.headers['x-fabric-attempts']).toBe('4');
  });

  it('with 500 twice ends the request, which may be what breaks the engines', async () => {
    const url = await test.engine((_request, response) => answerJson(response, 500, '{}'));
    for (const name of ['a', 'b', 'c', 'd']) router.addDeployment(url, name);

    const answer = await askChat();

    expect(errorOf(answer).code).toBe('upstream_error');
    expect(answer.headers['x-fabric-attempts']).toBe('2');
  });

  it('of a kept-alive connection that the engine closed is none: the request goes out again on a new one', async () => {
    let connections = 0;
    let requests = 0;
    const sockets = new Set<unknown>();
    const url = await test.rawEngine((socket) => {
      requests++;
      if (!sockets.has(socket)) {
        sockets.add(socket);
        connections++;
        const json = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`;
        socket.write(json);
      } else {
        // The second request on the same connection meets its end.
        socket.end();
      }
    });
    router.addDeployment(url);

    expect((await askChat()).status).toBe(200);
    const second = await askChat();

    expect(second.status).toBe(200);
    expect(second.headers['x-fabric-attempts']).toBe('1');
    expect(connections).toBe(2);
    expect(requests).toBe(3);
    expect(test.logLines).toEqual([]);
  });

  it('at several targets is one line of the log', async () => {
    router.addDeployment('http://127.0.0.1:1', 'gone');
    router.addDeployment('http://127.0.0.1:1', 'gone-too');

    const answer = await askChat();

    expect(test.logLines).toHaveLength(1);
    expect(JSON.parse(test.logLines[0] ?? '')).toMatchObject({
      requestId: answer.headers['x-request-id'],
      outcome: 'failed',
      failures: [{ target: 'gone' }, { target: 'gone-too' }],
    });
  });

  it('that repeats itself is logged once, and counted', async () => {
    router.addDeployment('http://127.0.0.1:1', 'gone');
    for (let index = 0; index < 20; index++) await askChat();

    expect(test.logLines).toHaveLength(1);
    expect([...test.metrics.failures]).toEqual([{ target: 'gone', code: 'connect_refused', failures: 20 }]);
  });
});

describe("a client's own fault", () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  const tooShort = (name = 'it'): Promise<string> => {
    const error = {
      message: `too long for ${name}`,
      type: 'BadRequestError',
      param: 'input_tokens',
      code: 400,
    };
    return test.engine((_request, response) => answerJson(response, 400, JSON.stringify({ error })));
  };

  it("comes back in OpenAI's form, blames no engine and is not asked again", async () => {
    const flat =
      '{"object":"error","message":"bad temperature","type":"BadRequestError","param":null,"code":400}';
    router.addDeployment(await test.engine((_request, response) => answerJson(response, 400, flat)));
    router.addDeployment('http://127.0.0.1:1');

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      error: {
        message: 'bad temperature',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_request',
      },
    });
    expect(answer.headers['x-fabric-attempts']).toBe('1');
    expect(router.outcomes).toEqual([{ target: 'replica-1', outcome: { kind: 'neutral' } }]);
    expect(router.answeredCount).toBe(0);
    expect(test.logLines).toEqual([]);
  });

  it('of too long a prompt has the code that clients know', async () => {
    const error =
      '{"error":{"message":"too long","type":"BadRequestError","param":"input_tokens","code":400}}';
    router.addDeployment(await test.engine((_request, response) => answerJson(response, 400, error)));

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: STREAM_BODY });

    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
  });

  it('of too long a prompt is mended by a larger target, which is asked once', async () => {
    router.addDeployment(await tooShort(), 'small');
    router.addDeployment(await tooShort(), 'medium');
    router.addDeployment(
      await test.engine((_request, response) => answerJson(response, 200, ANSWER)),
      'large',
    );

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.text).toBe(ANSWER);
    expect(answer.headers).toMatchObject({
      'x-fabric-attempts': '3',
      'x-fabric-replica': 'large',
      'x-fabric-reason': 'least_cost; small=context_too_long, medium=context_too_long',
    });
    expect(router.outcomes.map(({ outcome }) => outcome.kind)).toEqual(['neutral', 'neutral', 'succeeded']);
    expect([...test.metrics.failures]).toEqual([]);
    expect(test.logLines).toEqual([]);
  });

  it('of too long a prompt is the last answer of the engines where none is larger', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) router.addDeployment(await tooShort(name), name);

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'context_length_exceeded', message: 'too long for d' });
    expect(answer.headers['x-fabric-attempts']).toBe('4');
    expect(router.inflight).toBe(0);
  });

  it('of too long a prompt, where the larger target fails, is told as that failure', async () => {
    router.addDeployment(await tooShort(), 'small');
    router.addDeployment('http://127.0.0.1:1', 'large');

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(502);
    expect(errorOf(answer).code).toBe('upstream_unreachable');
  });

  it('is told even when the engine breaks off in telling it', async () => {
    router.addDeployment(
      await test.rawEngine((socket) =>
        socket.end('HTTP/1.1 422 x\r\ncontent-length: 99\r\n\r\n{"detail":"no'),
      ),
    );

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(422);
    expect(errorOf(answer).message).toContain('(422)');
  });
});

describe('a provider', () => {
  it('without a key is passed over, and says so when nothing else is left', async () => {
    const router = new FakeRouter();
    const secrets = {
      read: () => ({ ok: false, code: 'env_missing', detail: 'OPENAI_API_KEY is not set' }) as const,
    };
    const test = await new TestGateway(router, { secrets }).start();
    router.addProvider('https://api.invalid/v1');

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({ code: 'provider_key_missing' });
    expect(answer.text).not.toContain('OPENAI_API_KEY');
    expect(test.logLines[0]).toContain('OPENAI_API_KEY is not set');
    await test.close();
  });

  it('that cannot be reached for want of internet is told as such', async () => {
    const router = new FakeRouter();
    const test = await new TestGateway(router).start();
    router.addProvider('https://api.provider.invalid/v1');

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(502);
    expect(errorOf(answer).code).toBe('upstream_unreachable');
    expect(errorOf(answer).message).toContain('could not be resolved');
    await test.close();
  });

  it('that speaks no TLS where it should is told as such, and never sees its key', async () => {
    const router = new FakeRouter();
    const test = await new TestGateway(router).start();
    let received = '';
    const plain = createTcpServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    router.addProvider(`https://127.0.0.1:${(plain.address() as AddressInfo).port}/v1`);

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(502);
    expect(errorOf(answer).message).toContain('TLS');
    expect(received).not.toContain('sk-of-the-provider');
    plain.close();
    await test.close();
  });

  it('that limits its rate has its 429 passed on, with when to come again', async () => {
    const router = new FakeRouter();
    const test = await new TestGateway(router).start();
    const url = await test.engine((_request, response) =>
      answerJson(response, 429, '{}', { 'retry-after': '20' }),
    );
    router.addProvider(url);

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('20');
    expect(errorOf(answer)).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    expect(router.outcomes).toEqual([{ target: 'openai/strong', outcome: { kind: 'busy' } }]);
    expect(router.told).toMatchObject([{ told: { answer: 'limited', retryAfterMs: 20_000 } }]);
    await test.close();
  });

  it.each([
    [402, '{}', 'unpaid', 502, 'upstream_misconfigured'],
    [401, '{}', 'key_refused', 502, 'upstream_misconfigured'],
    [429, '{"error":{"code":"insufficient_quota"}}', 'out_of_quota', 429, 'rate_limit_exceeded'],
    [529, '{}', 'limited', 503, 'no_capacity'],
  ])('that answers %i %s tells the router so (%s)', async (status, text, told, answered, code) => {
    const router = new FakeRouter();
    const test = await new TestGateway(router).start();
    router.addProvider(await test.engine((_request, response) => answerJson(response, status, text)));

    const answer = await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect([answer.status, errorOf(answer).code]).toEqual([answered, code]);
    expect(router.told).toMatchObject([{ told: { answer: told } }]);
    await test.close();
  });

  it('tells with each good answer what is left of its limits, and an engine nothing', async () => {
    const router = new FakeRouter();
    const test = await new TestGateway(router).start();
    const headers = { 'x-ratelimit-remaining-requests': '7', 'x-ratelimit-reset-requests': '6m0s' };
    const url = await test.engine((_request, response) => answerJson(response, 200, ANSWER, headers));
    router.addProvider(url);
    await ask(`${test.url}/v1/chat/completions`, { body: BODY });
    router.candidates.length = 0;
    router.addDeployment(url);
    await ask(`${test.url}/v1/chat/completions`, { body: BODY });

    expect(router.told).toMatchObject([
      { target: 'openai/strong', told: { answer: 'answered', requests: { left: 7, resetMs: 360_000 } } },
    ]);
    await test.close();
  });
});

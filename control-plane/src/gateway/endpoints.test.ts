import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, gatewayKey, TestGateway, until } from './testing/test-gateway.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'multipart/form-data; boundary=b' };

const part = (name: string, content: string | Buffer, more = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const AUDIO = Buffer.from([0, 13, 10, 45, 45, 97, 255]);
const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
const file = part('file', AUDIO, '; filename="a.wav"\r\nContent-Type: audio/wav');

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ ...data, type: name })}\n\n`;
const MESSAGE = {
  start: event('message_start', { message: { id: 'msg_1', usage: { input_tokens: 7, output_tokens: 1 } } }),
  delta: event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hi' } }),
  end: event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }),
  stop: event('message_stop', {}),
};
const RESPONSE = {
  created: event('response.created', { response: { id: 'resp_1' } }),
  delta: event('response.output_text.delta', { delta: 'Hi' }),
  completed: event('response.completed', { response: { usage: { input_tokens: 7, output_tokens: 3 } } }),
  failed: event('response.failed', { response: { error: { code: 'server_error' } } }),
};

function stream(response: ServerResponse, ...pieces: string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.end(pieces.join(''));
}

describe('an endpoint besides chat', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    test = await new TestGateway(router, {
      keys: {
        find: ({ text }) => (text === 'sk-fabric' ? gatewayKey() : 'unknown'),
        anonymous: gatewayKey({ keyId: 'anonymous', name: 'anonymous' }),
      },
    }).start();
  });
  afterEach(() => test.close());

  const post = (path: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    ask(`${test.url}${path}`, { body, headers });

  it.each([
    ['/v1/responses', '{"model":"chat-fast","input":"x"}', { input_tokens: 5, output_tokens: 2 }, [5, 2]],
    [
      '/messages',
      '{"model":"chat-fast","messages":[],"max_tokens":9}',
      { input_tokens: 5, output_tokens: 2 },
      [5, 2],
    ],
    ['/v1/rerank', '{"model":"chat-fast","query":"x","documents":[]}', { total_tokens: 5 }, [5, null]],
    [
      '/score',
      '{"model":"chat-fast","text_1":"x","text_2":"y"}',
      { prompt_tokens: 5, completion_tokens: 0 },
      [5, 0],
    ],
  ])(
    '%s is asked for under the engine’s name of the model, and counted',
    async (path, body, usage, tokens) => {
      let asked = { path: '', body: '' };
      router.addDeployment(
        await test.engine((request, response, bytes) => {
          asked = { path: request.url ?? '', body: bytes.toString() };
          response.writeHead(200, JSON_TYPE).end(JSON.stringify({ id: 'x', usage }));
        }),
      );

      const answer = await post(path, body);

      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual({ id: 'x', usage });
      expect(asked.path).toBe(`/v1${path.replace('/v1', '')}`);
      expect(JSON.parse(asked.body)).toEqual({ ...JSON.parse(body), model: 'served/replica-1' });
      expect(test.records[0]).toMatchObject({
        endpoint: path.replace('/v1', ''),
        promptTokens: tokens[0],
        completionTokens: tokens[1],
      });
    },
  );

  it("counts a message's tokens, which uses none of the key's, and streams nothing", async () => {
    let asked = { path: '', body: '' };
    const engine = await test.engine((request, response, bytes) => {
      asked = { path: request.url ?? '', body: bytes.toString() };
      response.writeHead(200, JSON_TYPE).end('{"input_tokens":14}');
    });
    router.addDeployment(engine);
    const body =
      '{"model":"chat-fast","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}';
    for (const path of ['/v1/messages/count_tokens', '/messages/count_tokens']) {
      const answer = await post(path, body);
      expect([answer.status, answer.text]).toEqual([200, '{"input_tokens":14}']);
      expect(asked.path).toBe('/v1/messages/count_tokens');
      expect(JSON.parse(asked.body)).toMatchObject({ model: 'served/replica-1', stream: true });
      expect(test.records.at(-1)).toMatchObject({
        ...{ endpoint: '/messages/count_tokens', outcome: 'ok', stream: false },
        ...{ promptTokens: 0, completionTokens: 0 },
      });
      expect(router.selected.at(-1)).toMatchObject({ endpoint: 'count_tokens', task: 'chat' });
    }
  });

  it.each([
    ['{"detail":"Not Found"}', 404],
    ['{"detail":"Method Not Allowed"}', 405],
  ])('says so where an engine cannot count (%s)', async (text, status) => {
    router.addDeployment(
      await test.engine((_request, response) => response.writeHead(status, JSON_TYPE).end(text)),
    );
    const answer = await post('/v1/messages/count_tokens', '{"model":"chat-fast","messages":[]}');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({
      ...{ type: 'error', error: { type: 'invalid_request_error', code: 'endpoint_not_spoken' } },
    });
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'neutral' });
  });

  it('asks for the task that the endpoint is for, and says which it is', async () => {
    router.role = { ...router.role, task: 'embeddings' };
    const body = '{"model":"chat-fast"}';
    for (const path of ['/score', '/rerank', '/embeddings', '/responses', '/messages'])
      await post(path, body);
    await post('/audio/translations', form(file, part('model', 'chat-fast')), FORM_TYPE);
    expect(router.selected.map(({ task, endpoint }) => [endpoint, task])).toEqual([
      ['score', 'embeddings'],
      ['rerank', 'embeddings'],
      ['embeddings', 'embeddings'],
      ['responses', 'chat'],
      ['messages', 'chat'],
      ['translations', 'transcription'],
    ]);
  });

  it.each([
    ['/v1/messages', [MESSAGE.start, MESSAGE.delta, MESSAGE.end, MESSAGE.stop]],
    ['/v1/responses', [RESPONSE.created, RESPONSE.delta, RESPONSE.completed]],
  ])('%s streams as it comes, and the end tells the tokens', async (path, events) => {
    let asked = '';
    router.addDeployment(
      await test.engine((_request, response, bytes) => {
        asked = bytes.toString();
        stream(response, ...events);
      }),
    );
    const answer = await post(path, '{"model":"chat-fast","stream":true}');
    expect(answer.text).toBe(events.join(''));
    expect(asked).toBe('{"model":"served/replica-1","stream":true}');
    expect(test.records[0]).toMatchObject({
      ...{ outcome: 'ok', stream: true, promptTokens: 7, completionTokens: 3 },
    });
    expect(router.outcomes[0]?.outcome).toMatchObject({ kind: 'succeeded', promptTokens: 7 });
  });

  it.each([
    [
      '/v1/messages',
      [MESSAGE.start, MESSAGE.delta],
      'event: error\ndata: {"type":"error","error":{"type":"api_error"',
    ],
    [
      '/v1/responses',
      [RESPONSE.created, RESPONSE.delta],
      'event: error\ndata: {"type":"error","code":"upstream_interrupted"',
    ],
  ])('%s that breaks off ends with an error of its own form', async (path, events, told) => {
    router.addDeployment(
      await test.engine((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(events.join(''), () => response.destroy());
      }),
    );
    const answer = await post(path, '{"model":"chat-fast","stream":true}');
    expect(answer.text.startsWith(events.join('') + told)).toBe(true);
    expect(answer.text.endsWith('\n\n')).toBe(true);
    expect(answer.text).toContain('"code":"upstream_interrupted"');
    expect(test.records[0]).toMatchObject({ outcome: 'interrupted' });
  });

  it('numbers the error behind the events of a response', async () => {
    router.addDeployment(
      await test.engine((_request, response) => stream(response, RESPONSE.created, RESPONSE.delta)),
    );
    const { text } = await post('/responses', '{"model":"chat-fast","stream":true}');
    expect(
      JSON.parse(
        text
          .split('\n')
          .findLast((line) => line.startsWith('data: '))
          ?.slice(6) ?? '',
      ),
    ).toMatchObject({ sequence_number: 2 });
  });

  it("takes a response that its engine calls failed for the engine's failure", async () => {
    router.addDeployment(
      await test.engine((_request, response) => stream(response, RESPONSE.created, RESPONSE.failed)),
    );
    const answer = await post('/responses', '{"model":"chat-fast","stream":true}');
    expect(answer.text).toBe(RESPONSE.created + RESPONSE.failed);
    expect(router.outcomes[0]?.outcome).toMatchObject({ kind: 'failed', code: 'status_500' });
  });

  it('goes past an engine that does not speak it, which is no failure of that engine', async () => {
    const missing = await test.engine((_request, response) =>
      response.writeHead(404, JSON_TYPE).end('{"detail":"Not Found"}'),
    );
    router.addDeployment(missing);
    router.addDeployment(
      await test.engine((_request, response) => response.writeHead(200, JSON_TYPE).end('{"id":"x"}')),
    );
    const answer = await post('/v1/responses', '{"model":"chat-fast","input":"x"}');
    expect(answer.status).toBe(200);
    expect(answer.headers['x-fabric-reason']).toContain('replica-1=endpoint_unknown_there');
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'neutral' });

    router.candidates.pop();
    const alone = await post('/v1/messages', '{"model":"chat-fast","messages":[]}');
    expect(alone.status).toBe(400);
    expect(JSON.parse(alone.text)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', code: 'endpoint_not_spoken' },
    });
  });

  it('passes on what an engine says of a response that it does not have', async () => {
    const text = `{"error":{"message":"Response with id 'resp_1' not found.","type":"invalid_request_error","param":"response_id","code":404}}`;
    router.addDeployment(
      await test.engine((_request, response) => response.writeHead(404, JSON_TYPE).end(text)),
    );
    const answer = await post(
      '/responses',
      '{"model":"chat-fast","input":"x","previous_response_id":"resp_1"}',
    );
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ code: 'response_not_found', param: 'response_id' });
    expect(router.outcomes[0]?.outcome).toEqual({ kind: 'neutral' });
  });

  it.each([false, true])(
    'goes on from a response where that was answered (streamed: %s)',
    async (isStream) => {
      for (const name of ['one', 'two']) {
        const url = await test.engine((_request, response) => {
          const whole = { id: `resp_${name}`, usage: { input_tokens: 1, output_tokens: 1 } };
          if (isStream) stream(response, event('response.completed', { response: whole }));
          else response.writeHead(200, JSON_TYPE).end(JSON.stringify(whole));
        });
        router.addDeployment(url, name);
      }
      const targets = ['one', 'two'].map((deployment) => ({ kind: 'deployment' as const, deployment }));
      router.role = { ...router.role, targets: targets.map((target) => ({ ...target, when: null })) };
      const ask = (more: object) =>
        post('/v1/responses', JSON.stringify({ model: 'chat-fast', input: 'x', stream: isStream, ...more }));

      await ask({});
      await ask({ previous_response_id: 'resp_one' });
      await ask({ previous_response_id: 'resp_two' });

      expect(router.selected.map(({ onlyTarget }) => onlyTarget)).toEqual([null, 'one', null]);
    },
  );

  it.each([
    ['GET', '/v1/responses/resp_1'],
    ['DELETE', '/responses/resp_1'],
    ['POST', '/v1/responses/resp_1/cancel'],
  ])('%s %s finds no response, and says why', async (method, path) => {
    const answer = await ask(`${test.url}${path}`, { method });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({
      code: 'response_not_found',
      message: expect.stringContaining('not kept here'),
    });
  });

  it.each([
    ['a body that is no JSON', '/v1/messages', '{"model"', 400, 'invalid_request_error', 'invalid_json'],
    ['a name that is none', '/messages', '{"model":"nobody"}', 404, 'not_found_error', 'model_not_found'],
    ['another path', '/v1/messages/batches', '{}', 404, 'not_found_error', 'unknown_path'],
  ])('tells %s in Anthropic’s envelope at %s', async (_, path, body, status, type, code) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toEqual({
      type: 'error',
      error: { type, code, message: expect.any(String), param: code === 'model_not_found' ? 'model' : null },
      request_id: answer.headers['x-request-id'],
    });
  });

  it('takes a key from x-api-key, and gives neither it nor the client’s own to anybody', async () => {
    let headers: Record<string, unknown> = {};
    router.addProvider(
      await test.engine((request, response) => {
        headers = request.headers;
        response.writeHead(200, JSON_TYPE).end('{"id":"x"}');
      }),
    );
    await post('/v1/messages', '{"model":"chat-fast","messages":[]}', {
      ...JSON_TYPE,
      'x-api-key': 'sk-fabric',
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'tools-2024-04-04',
    });
    expect(test.records[0]).toMatchObject({ key: 'notes', outcome: 'ok' });
    expect(headers).toMatchObject({
      'x-api-key': 'sk-of-the-provider',
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'tools-2024-04-04',
    });
    expect(headers).not.toHaveProperty('authorization');

    await post('/v1/chat/completions', '{"model":"chat-fast","messages":[]}', {
      ...JSON_TYPE,
      'anthropic-version': '2024-01-01',
      'x-api-key': 'sk-fabric',
    });
    expect(headers).toMatchObject({ authorization: 'Bearer sk-of-the-provider' });
    expect(headers).not.toHaveProperty('x-api-key');
    expect(headers).not.toHaveProperty('anthropic-version');
  });

  it('needs a key that is known where it is not trusted, in x-api-key too', async () => {
    const answer = await post('/v1/messages', '{}', {
      'x-api-key': 'sk-other',
      'x-forwarded-for': '203.0.113.9',
    });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });

  describe('for audio', () => {
    const FIRST = form(part('model', 'chat-fast'), file);
    const LAST = form(file, part('language', 'de'), part('model', 'chat-fast'));
    const TWICE = form(part('model', 'other'), file, part('model', 'chat-fast'));

    it.each([
      ['before the file', FIRST, form(part('model', 'served/replica-1'), file)],
      ['behind the file', LAST, form(file, part('language', 'de'), part('model', 'served/replica-1'))],
      ['twice', TWICE, form(part('model', 'served/replica-1'), file, part('model', 'served/replica-1'))],
    ])('names the model %s as its engine does, and leaves the rest as it is', async (_, body, expected) => {
      let asked: { body: Buffer; headers: Record<string, unknown> } | undefined;
      router.addDeployment(
        await test.engine((request, response, bytes) => {
          asked = { body: bytes, headers: request.headers };
          response.writeHead(200, JSON_TYPE).end('{"text":"Hi","usage":{"type":"duration","seconds":3}}');
        }),
      );
      const answer = await post('/v1/audio/transcriptions', body, FORM_TYPE);
      expect(answer.status).toBe(200);
      expect(asked?.body).toEqual(expected);
      expect(asked?.headers).toMatchObject({
        'content-type': 'multipart/form-data; boundary=b',
        'content-length': String(expected.length),
      });
      expect(test.records[0]).toMatchObject({ endpoint: '/audio/transcriptions', promptTokens: null });
    });

    it('takes forms that are larger than any JSON, up to their own bound', async () => {
      const asked: Buffer[] = [];
      router.addDeployment(
        await test.engine((_request, response, bytes) => {
          asked.push(bytes);
          response.writeHead(200, JSON_TYPE).end('{"text":"Hi"}');
        }),
      );
      const audio = Buffer.alloc(3 * 1024 * 1024, AUDIO);
      const large = (model: string): Buffer =>
        form(part('file', audio, '; filename="a.wav"'), part('model', model));
      const answer = await post('/v1/audio/transcriptions', large('chat-fast'), FORM_TYPE);
      expect(answer.status).toBe(200);
      expect(asked[0]?.equals(large('served/replica-1'))).toBe(true);

      const beyond = form(part('file', Buffer.alloc(4 * 1024 * 1024)), part('model', 'chat-fast'));
      const refused = await post('/v1/audio/transcriptions', beyond, FORM_TYPE);
      expect(refused.status).toBe(413);
      expect(errorOf(refused)).toMatchObject({ code: 'request_too_large' });
      expect(asked).toHaveLength(1);
    });

    it.each(['text/plain; charset=utf-8', 'text/vtt', 'application/x-subrip'])(
      'passes %s on',
      async (type) => {
        router.addDeployment(
          await test.engine((_request, response) =>
            response.writeHead(200, { 'content-type': type }).end('Hällo\n'),
          ),
        );
        const answer = await post('/audio/transcriptions', FIRST, FORM_TYPE);
        expect(answer).toMatchObject({ status: 200, text: 'Hällo\n' });
        expect(answer.headers['content-type']).toBe(type);
      },
    );

    it('takes a web page for no transcript', async () => {
      router.addDeployment(
        await test.engine((_request, response) =>
          response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>'),
        ),
      );
      const answer = await post('/audio/transcriptions', FIRST, FORM_TYPE);
      expect(answer.status).toBe(502);
    });

    it('streams', async () => {
      const events = [
        'data: {"object":"transcription.chunk","choices":[{"delta":{"content":"Hi"}}]}\n\n',
        'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n',
        'data: [DONE]\n\n',
      ];
      router.addDeployment(await test.engine((_request, response) => stream(response, ...events)));
      const body = form(
        file,
        part('stream', 'true'),
        part('stream_include_usage', 'true'),
        part('model', 'chat-fast'),
      );
      const answer = await post('/audio/transcriptions', body, FORM_TYPE);
      expect(answer.text).toBe(events.join(''));
      expect(test.records[0]).toMatchObject({ stream: true, promptTokens: 9, completionTokens: 2 });
    });

    it.each([
      ['JSON', '{"model":"chat-fast"}', JSON_TYPE, 415, 'unsupported_media_type'],
      ['no boundary', FIRST, { 'content-type': 'multipart/form-data' }, 400, 'invalid_multipart'],
      [
        'another boundary',
        FIRST,
        { 'content-type': 'multipart/form-data; boundary=c' },
        400,
        'invalid_multipart',
      ],
      ['half a form', FIRST.subarray(0, -12), FORM_TYPE, 400, 'invalid_multipart'],
      ['no model', form(file), FORM_TYPE, 400, 'missing_required_parameter'],
    ])('refuses %s', async (_, body, headers, status, code) => {
      const answer = await post('/audio/translations', body, headers);
      expect(answer.status).toBe(status);
      expect(errorOf(answer).code).toBe(code);
    });

    it('is refused as JSON elsewhere', async () => {
      const answer = await post('/v1/responses', FIRST, FORM_TYPE);
      expect(errorOf(answer).code).toBe('unsupported_media_type');
    });
  });

  it('tells a held stream of messages that nothing serves it in its own form', async () => {
    router.wait = {
      kind: 'wait',
      reason: 'full',
      detail: 'full',
      waitsFor: [],
      lookAgainInMs: null,
      patienceMs: 1_000,
      considered: [],
    };
    const answer = post('/v1/messages', '{"model":"chat-fast","stream":true,"messages":[]}');
    await until(() => router.held.size === 1, 'it is held');
    for (const held of router.held) held.patienceOver(router.outlook);
    const { status, text } = await answer;
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
  });
});

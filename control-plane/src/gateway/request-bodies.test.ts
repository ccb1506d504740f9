import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsOf } from '../router/needs.js';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, TestGateway, until } from './testing/test-gateway.js';

const ANSWER = '{"choices":[]}';
const BODY = '{"model":"chat-fast","messages":[]}';

describe('a request', () => {
  let clock: ManualClock;
  let router: FakeRouter;
  let test: TestGateway;
  let seen: Buffer[];
  beforeEach(async () => {
    clock = new ManualClock();
    router = new FakeRouter();
    seen = [];
    test = await new TestGateway(router, { clock }).start();
    router.addDeployment(
      await test.engine((_request, response, body) => {
        seen.push(body);
        response.setHeader('content-type', 'application/json').end(ANSWER);
      }),
    );
  });
  afterEach(() => test.close());

  const post = (body: string | Buffer, headers = {}) =>
    ask(`${test.url}/v1/chat/completions`, { body, headers });

  it.each<[string, string | Buffer, number, string, string | null]>([
    ['is empty', '', 400, 'invalid_json', null],
    ['is not JSON', 'model=chat-fast', 400, 'invalid_json', null],
    ['is cut off', '{"model":"chat-fast"', 400, 'invalid_json', null],
    ['is not UTF-8', Buffer.from('7b226d6f64656c223a22ff227d', 'hex'), 400, 'invalid_json', null],
    ['is UTF-16', Buffer.from(BODY, 'utf16le'), 400, 'invalid_json', null],
    ['is a list', '[]', 400, 'invalid_request', null],
    ['lacks a model', '{"messages":[]}', 400, 'missing_required_parameter', 'model'],
    ['has a model that is no name', '{"model":{}}', 400, 'invalid_request', 'model'],
    ['names no model of ours', '{"model":"chat-fats"}', 404, 'model_not_found', 'model'],
    ['is a bomb of nesting', `{"model":"chat-fast","x":${'['.repeat(400_000)}`, 400, 'invalid_json', null],
    ['is too large', `{"model":"chat-fast","x":"${'x'.repeat(1_100_000)}"}`, 413, 'request_too_large', null],
  ])('that %s is refused before any engine is asked', async (_what, body, status, code, param) => {
    const answer = await post(body);

    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code, param });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-fabric-host': 'none',
      'x-fabric-replica': 'none',
      'x-fabric-attempts': '0',
      'x-fabric-reason': code,
    });
    expect(answer.headers['x-request-id']).toMatch(/^req-/);
    expect(seen).toEqual([]);
    expect(router.selected).toEqual([]);
    expect(test.metrics.openRequests).toBe(0);
  });

  it('for an unknown name is told the nearest ones', async () => {
    expect(errorOf(await post('{"model":"chat-fats"}')).message).toBe(
      'The model "chat-fats" does not exist. Nearest: chat-fast, chat-deep. GET /v1/models lists all.',
    );
  });

  it('tells the router what it needs of a model, and reaches the engine as it is', async () => {
    const body = '{"model":"served/replica-1","tools":[{}],"messages":[{"content":[{"type":"image_url"}]}]}';
    expect((await post(body.replace('served/replica-1', 'chat-fast'))).status).toBe(200);
    expect(router.selected.at(-1)).toMatchObject({ needs: needsOf(['tools', 'vision']), waitedMs: 0 });
    expect(seen[0]?.toString()).toBe(body);
  });

  it('with a byte order mark reaches the engine without it', async () => {
    expect((await post(`\ufeff${BODY}`)).status).toBe(200);
    expect(seen[0]?.toString()).toBe('{"model":"served/replica-1","messages":[]}');
  });

  it.each([
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(BODY)],
    ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }, '--x--'],
  ])('in %s is refused with what to send instead', async (_what, headers, body) => {
    const answer = await post(body, headers);

    expect(answer.status).toBe(415);
    expect(errorOf(answer).code).toBe('unsupported_media_type');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'of JSON that is called %s is taken',
    async (type) => {
      expect((await post(BODY, { 'content-type': type })).status).toBe(200);
    },
  );

  it('larger than what is checked goes through as it came', async () => {
    const body = `{"messages":[{"content":"${'ü🌍\\"'.repeat(60_000)}"}],"model":"chat-fast"}`;
    expect((await post(body)).status).toBe(200);
    expect(seen[0]?.toString()).toBe(body.replace('chat-fast', 'served/replica-1'));
  });

  it('that says it is too large is refused before its body is sent', async () => {
    const socket = await raw(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99000000\r\n\r\n',
    );
    await until(() => socket.text().includes('request_too_large'), 'the refusal is there');
    expect(socket.text()).toContain('HTTP/1.1 413');
    socket.end();
  });

  it('without end is refused as soon as it is too large, and its connection is not kept for long', async () => {
    const socket = await raw(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 20; sent++) socket.write(piece);
    await until(() => socket.text().includes('request_too_large'), 'the refusal is there');

    clock.advance(5_200);

    await until(socket.isClosed, 'the connection is closed');
  });

  it('that drips in a byte a second is answered 408 when its time is over', async () => {
    const socket = await raw(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n',
    );
    await until(() => test.gateway.openRequests === 1, 'the request is there');
    for (let second = 0; second < 4; second++) {
      socket.write('{');
      clock.advance(1_000);
    }
    expect(socket.text()).toBe('');
    clock.advance(1_200);

    await until(socket.isClosed, 'the connection is closed');
    expect(socket.text()).toContain('HTTP/1.1 408');
    expect(socket.text()).toContain('"code":"body_timeout"');
    expect(test.gateway.openRequests).toBe(0);
  });

  it('whose client goes away in the middle of its body is forgotten', async () => {
    const socket = await raw(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{',
    );
    await until(() => test.gateway.openRequests === 1, 'the request is there');
    socket.end();

    await until(() => test.gateway.openRequests === 0, 'the request is gone');
    expect(test.metrics.openRequests).toBe(0);
    expect(router.selected).toEqual([]);
  });

  it('leaves its connection usable after a refusal', async () => {
    const socket = await raw(requestText('{"model":"nope"}') + requestText(BODY));
    await until(() => socket.text().includes(ANSWER), 'the second is answered');
    expect(socket.text()).toContain('HTTP/1.1 404');
    socket.end();
  });

  it.each([
    ['GET', '/v1/chat/completions', 405, 'method_not_allowed', 'POST'],
    ['DELETE', '/v1/models', 405, 'method_not_allowed', 'GET, HEAD'],
    ['POST', '/v1/images/generations', 404, 'unknown_path', undefined],
    ['GET', '/v1', 404, 'unknown_path', undefined],
  ])('%s %s is answered %i in OpenAI’s form', async (method, path, status, code, allow) => {
    const answer = await ask(test.url + path, { method });

    expect(answer.status).toBe(status);
    expect(errorOf(answer).code).toBe(code);
    expect(answer.headers.allow).toBe(allow);
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it.each(['bad\u00e9', 'x'.repeat(200), 'two words', ''])(
    'with the odd id %j gets one of ours',
    async (id) => {
      const answer = await post(BODY, { 'x-request-id': Buffer.from(id).toString('latin1') });
      expect(answer.headers['x-request-id']).toMatch(/^req-/);
    },
  );

  function requestText(body: string): string {
    return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  }

  async function raw(text: string) {
    const socket: Socket = connect(test.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    return {
      text: () => received,
      write: (piece: string) => socket.write(piece),
      end: () => socket.destroy(),
      isClosed: () => socket.closed || socket.readableEnded,
    };
  }
});

describe('GET /v1/models', () => {
  let router: FakeRouter;
  let test: TestGateway;
  beforeEach(async () => {
    router = new FakeRouter();
    router.listed = [
      {
        id: 'chat-fast',
        kind: 'role',
        task: 'chat',
        state: 'ready',
        servedBy: 'motoko-chat',
        contextTokens: 8192,
        readyInSeconds: null,
      },
      {
        id: 'local/chat',
        kind: 'alias',
        task: 'chat',
        state: 'away',
        servedBy: null,
        contextTokens: null,
        readyInSeconds: null,
      },
    ];
    test = await new TestGateway(router).start();
  });
  afterEach(() => test.close());

  it.each(['/v1/models', '/models', '/v1/models/', '/v1/models?limit=5'])('lists all at %s', async (path) => {
    const answer = await ask(test.url + path);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      object: 'list',
      data: [
        {
          id: 'chat-fast',
          object: 'model',
          owned_by: 'ai-fabric',
          max_model_len: 8192,
          fabric: { state: 'ready' },
        },
        { id: 'local/chat', fabric: { kind: 'alias', state: 'away', servedBy: null } },
      ],
    });
  });

  it.each(['/v1/models/local/chat', '/models/local%2Fchat'])('gives one at %s', async (path) => {
    expect(JSON.parse((await ask(test.url + path)).text)).toMatchObject({
      id: 'local/chat',
      object: 'model',
    });
  });

  it('answers 404 with the nearest names for one that is not there', async () => {
    const answer = await ask(`${test.url}/v1/models/local/chit`);

    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(errorOf(answer).message).toContain('Nearest: chat-fast');
  });
});

import type { ServerResponse } from 'node:http';
import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Target } from '../declared/declared-state.js';
import type { KeyLimits } from '../registry/key-types.js';
import { FakeRouter } from './testing/fake-router.js';
import { ask, errorOf, gatewayKey, TestGateway, until } from './testing/test-gateway.js';

const BODY = '{"model":"chat-fast","messages":[],"max_tokens":10}';
const ANSWER = '{"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":20}}';
const EVENT = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';

describe('a key', () => {
  let clock: ManualClock;
  let router: FakeRouter;
  let test: TestGateway;
  let key: ReturnType<typeof gatewayKey>;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    clock = new ManualClock();
    router = new FakeRouter();
    key = gatewayKey();
    answer = (response) => response.setHeader('content-type', 'application/json').end(ANSWER);
    const keys = { find: () => key, anonymous: gatewayKey({ keyId: 'anonymous', name: 'anonymous' }) };
    test = await new TestGateway(router, { clock, keys }).start();
    router.addDeployment(await test.engine((_request, response) => answer(response)));
  });
  afterEach(() => test.close());

  const limit = (some: Partial<KeyLimits>) => {
    key = gatewayKey({ limits: { ...gatewayKey().limits, ...some } });
  };
  const post = (body = BODY) =>
    ask(`${test.url}/v1/chat/completions`, { body, headers: { authorization: 'Bearer sk' } });

  it('may not be more urgent than it may, and is told so; it has a class of its own where it says none', async () => {
    key = gatewayKey({ classes: { defaultClass: 'batch', mostUrgentClass: 'normal' } });
    const asked = (header?: string, body = BODY) => {
      const wish = header === undefined ? {} : { 'x-fabric-class': header };
      const headers = { authorization: 'Bearer sk', ...wish };
      return ask(`${test.url}/v1/chat/completions`, { body, headers });
    };
    const told: unknown[] = [];
    for (const header of ['interactive', 'normal', 'batch', undefined]) {
      const { status, headers } = await asked(header);
      told.push([status, headers['x-fabric-class'], router.selected.at(-1)?.requestClass]);
    }
    expect(told).toEqual([
      [200, 'normal', 'normal'],
      [200, undefined, 'normal'],
      [200, undefined, 'batch'],
      [200, undefined, 'batch'],
    ]);
    const refused = await asked('interactive', '{');
    expect([refused.status, refused.headers['x-fabric-class']]).toEqual([400, 'normal']);
    expect(refused.headers['x-request-id']).toBeDefined();
  });

  it('that asks for it has its bodies kept, as they came and went', async () => {
    key = gatewayKey({ keepsBodies: true });
    const { headers } = await post();
    await until(() => test.bodies.length === 1, 'its body');
    const [kept] = test.bodies;
    expect(kept).toMatchObject({
      ...{ requestId: headers['x-request-id'], keyId: 'key-1', endedAtMs: test.records[0]?.endedAtMs },
      request: { text: BODY, sizeBytes: BODY.length, cut: false },
      answer: { text: ANSWER, sizeBytes: ANSWER.length, cut: false },
    });
  });

  it('that asks for it has the beginning of a long stream kept, and all of it sent', async () => {
    key = gatewayKey({ keepsBodies: true });
    answer = (response) => {
      response.setHeader('content-type', 'text/event-stream');
      for (let count = 0; count < 4_000; count++) response.write(EVENT);
      response.end('data: [DONE]\n\n');
    };
    const { text } = await post('{"model":"chat-fast","messages":[],"stream":true}');
    await until(() => test.bodies.length === 1, 'its body');
    const kept = test.bodies[0]?.answer;
    expect([kept?.cut, kept?.text.length, kept?.sizeBytes]).toEqual([true, 65_536, text.length]);
    expect(text.startsWith(kept?.text ?? '-')).toBe(true);
  });

  it('that does not ask for it leaves no body', async () => {
    await post();
    expect([test.records.length, test.bodies.length]).toEqual([1, 0]);
  });

  it('without limits is told of none', async () => {
    const { headers } = await post();
    expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });

  it('is told what it has left, and refused with the limit that it has reached', async () => {
    limit({ requestsPerMinute: 2 });
    expect((await post()).headers).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '30s',
    });
    await post();
    const refused = await post();
    expect(refused.status).toBe(429);
    expect(errorOf(refused)).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect(errorOf(refused).message).toContain('requests_per_minute');
    expect(refused.headers).toMatchObject({
      'retry-after': '30',
      'x-fabric-reason': 'requests_per_minute',
      'x-ratelimit-remaining-requests': '0',
    });
    expect(router.selected).toHaveLength(2);
    clock.advance(30_000);
    expect((await post()).status).toBe(200);
  });

  it('pays for the tokens that were used, not for those that were thought', async () => {
    limit({ tokensPerMinute: 100 });
    await post('{"model":"chat-fast","messages":[],"max_tokens":4000}');
    const { headers } = await post();
    // 50 of the first answer, and what the second may take at the most.
    expect(headers['x-ratelimit-remaining-tokens']).toBe('39');
    const refused = await post();
    expect([refused.status, refused.headers['x-fabric-reason']]).toEqual([429, 'tokens_per_minute']);
  });

  it('gets back what nobody served', async () => {
    limit({ requestsPerMinute: 1, tokensPerMinute: 10_000, concurrentRequests: 1 });
    answer = (response) => response.writeHead(500).end();
    for (let count = 0; count < 3; count++) {
      const failed = await post();
      expect(failed.status).toBeGreaterThanOrEqual(500);
      expect(failed.headers['x-ratelimit-remaining-requests']).toBe('1');
    }
    answer = (response) => response.setHeader('content-type', 'application/json').end(ANSWER);
    expect((await post()).status).toBe(200);
  });

  it.each([{ requestsPerMinute: 0 }, { tokensPerMinute: 0 }, { concurrentRequests: 0 }])(
    'that allows nothing (%j) is told so, and not to come again',
    async (zero) => {
      limit(zero);
      const refused = await post();
      expect([refused.status, errorOf(refused).code]).toEqual([403, 'limit_is_zero']);
      expect(refused.headers['retry-after']).toBeUndefined();
    },
  );

  it('has so many requests at once, and the next when one has ended', async () => {
    limit({ concurrentRequests: 1 });
    const held: ServerResponse[] = [];
    answer = (response) => void held.push(response);
    const first = post();
    await until(() => held.length === 1, 'the engine was asked');
    const second = await post();
    expect([second.status, second.headers['x-fabric-reason']]).toEqual([429, 'concurrent_requests']);
    expect(second.headers['retry-after']).toBe('1');
    held[0]?.setHeader('content-type', 'application/json').end(ANSWER);
    expect((await first).status).toBe(200);
    answer = (response) => response.setHeader('content-type', 'application/json').end(ANSWER);
    expect((await post()).status).toBe(200);
  });

  it('that is revoked ends its streams with an error event, and nobody else’s', async () => {
    const held: ServerResponse[] = [];
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(EVENT);
      held.push(response);
    };
    const stream = '{"model":"chat-fast","messages":[],"stream":true}';
    const mine = post(stream);
    await until(() => held.length === 1, 'the engine was asked');
    key = gatewayKey({ keyId: 'key-2' });
    const others = post(stream);
    await until(() => held.length === 2 && router.answeredCount === 2, 'both have begun to answer');
    test.gateway.endRequestsOf('key-1');
    const ended = await mine;
    expect(ended.status).toBe(200);
    expect(ended.text).toContain('"code":"key_revoked"');
    expect(ended.text.startsWith(EVENT)).toBe(true);
    expect(ended.text).not.toContain('[DONE]');
    held[1]?.end('data: [DONE]\n\n');
    expect((await others).text).toBe(`${EVENT}data: [DONE]\n\n`);
    await until(() => router.inflight === 0, 'both slots are free');
  });

  it('that is revoked before its answer began gets a 401', async () => {
    const held: ServerResponse[] = [];
    answer = (response) => void held.push(response);
    const waiting = post();
    await until(() => held.length === 1, 'the engine was asked');
    test.gateway.endRequestsOf('key-1');
    const ended = await waiting;
    expect([ended.status, errorOf(ended).code]).toEqual([401, 'key_revoked']);
    expect(ended.headers['www-authenticate']).toBe('Bearer');
    expect(router.inflight).toBe(0);
  });

  it.each([
    [
      'of the operator, that checks, is no failure of a client',
      'admin',
      { 'x-fabric-check': 'true' },
      'check_refused',
    ],
    ['of the operator, that does not check, is one', 'admin', {}, 'refused'],
    ['of anybody else is one, whatever it says', 'app', { 'x-fabric-check': 'true' }, 'refused'],
  ])('a refusal %s', async (_, keyId, headers, outcome) => {
    key = gatewayKey({ keyId });
    router.candidates.length = 0;
    await ask(`${test.url}/v1/chat/completions`, {
      body: BODY,
      headers: { authorization: 'Bearer sk', ...headers },
    });
    expect(test.records).toMatchObject([{ outcome }]);
    expect([...test.metrics.routes]).toMatchObject([{ requests: { [outcome]: 1 } }]);
  });

  it('asks for what it was given alone, and is not told what else there is', async () => {
    router.listed = [
      {
        id: 'chat-fast',
        kind: 'role',
        task: 'chat',
        state: 'ready',
        servedBy: null,
        contextTokens: null,
        readyInSeconds: null,
      },
    ];
    const models = async () => {
      const listed = await ask(`${test.url}/v1/models`, { headers: { authorization: 'Bearer sk' } });
      return JSON.parse(listed.text).data.map(({ id }: { id: string }) => id);
    };
    key = gatewayKey({ roles: new Set(['chat-deep']) });
    const refused = await post();
    expect([refused.status, errorOf(refused).code]).toEqual([404, 'model_not_found']);
    expect(errorOf(refused).message).toContain('or this key may not ask for it');
    expect(errorOf(refused).message).not.toContain('Nearest');
    expect(await models()).toEqual([]);
    const one = await ask(`${test.url}/v1/models/chat-fast`, { headers: { authorization: 'Bearer sk' } });
    expect(one.status).toBe(404);
    key = gatewayKey({ roles: new Set(['chat-fast']) });
    expect((await post()).status).toBe(200);
    expect(await models()).toEqual(['chat-fast']);
  });

  it('may ask for one target of its role, and for no other', async () => {
    router.role = { ...router.role, targets: [target('armitage-chat'), target('motoko-chat')] };
    const askFor = (name: string) =>
      ask(`${test.url}/v1/chat/completions`, {
        body: BODY,
        headers: { authorization: 'Bearer sk', 'x-fabric-target': name },
      });
    expect((await askFor(' armitage-chat ')).status).toBe(200);
    expect(router.selected.at(-1)).toMatchObject({ onlyTarget: 'armitage-chat' });

    const unknown = await askFor('armitag-chat');
    expect([unknown.status, errorOf(unknown).code]).toEqual([400, 'unknown_target']);
    expect(errorOf(unknown).message).toBe(
      'x-fabric-target: "armitag-chat" is no target of "chat-fast". Nearest: armitage-chat. Leave the header out to be served by any.',
    );
    expect(errorOf(await askFor('openai/strong')).message).toContain('It has: armitage-chat, motoko-chat.');

    // Those that it may not ask for by their own names are not named to it.
    key = gatewayKey({ roles: new Set(['chat-fast']) });
    expect((await askFor('motoko-chat')).status).toBe(200);
    const message = errorOf(await askFor('armitag-chat')).message;
    expect(message).toContain('is no target of "chat-fast". Leave');
    expect(message).not.toContain('armitage');
  });
});

function target(deployment: string): Target {
  return { kind: 'deployment', deployment, when: null };
}

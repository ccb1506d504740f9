import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { eventually } from '../simulators/common/eventually.js';

const messages = [{ role: 'user' as const, content: 'Hello there' }];

describe('the official Anthropic client', () => {
  let fabric: BootedFabric;
  let client: Anthropic;
  let apiKey: string;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: { engines: { 'qwen-armitage': { maxModelLen: 2_048, replyTokens: 24 } } },
        motoko: { engines: { 'bge-motoko': { task: 'embeddings' } } },
      },
      roles: {
        'chat-fast': { targets: ['qwen-armitage'] },
        'chat-now': { targets: ['qwen-armitage'], patienceSeconds: 0 },
        'chat-cloud': { targets: ['openai/cheap'] },
        'embeddings-general': { task: 'embeddings', targets: ['bge-motoko'] },
      },
      cloud: {},
    });
    const key = await fabric.controlPlane.api<{ secret: string }>('/keys', {
      ...{ method: 'POST', body: { name: 'claude', mayCloud: true, limits: { requestsPerMinute: 1_000 } } },
    });
    apiKey = key.secret;
    client = new Anthropic({ apiKey, baseURL: fabric.controlPlane.url, maxRetries: 0 });
  });
  afterAll(() => fabric?.close());

  test('has a message, by its key in x-api-key, which no engine gets', async () => {
    const { data, response } = await client.messages
      .create({ model: 'chat-fast', max_tokens: 8, system: 'Be brief.', messages })
      .withResponse();
    expect(data).toMatchObject({ role: 'assistant', stop_reason: 'max_tokens', usage: { output_tokens: 8 } });
    expect(data.content[0]).toMatchObject({ type: 'text', text: expect.stringContaining('qwen-armitage') });
    expect(response.headers.get('x-fabric-host')).toBe('armitage');
    const sent = fabric.engine('qwen-armitage').inferenceRequests.at(-1);
    expect(JSON.parse(sent?.bodyText ?? '{}')).toMatchObject({
      model: 'served/qwen-armitage',
      max_tokens: 8,
    });
    expect(JSON.stringify(sent?.headers)).not.toContain(apiKey);
    expect(sent?.headers).not.toHaveProperty('x-api-key');
    const requestId = response.headers.get('x-request-id');
    await eventually('the log has its key and tokens', async () => {
      const row = await fabric.controlPlane.api<LoggedRequest>(`/requests/${requestId}`).catch(() => null);
      if (row === null) return false;
      expect(row).toMatchObject({
        ...{ key: 'claude', role: 'chat-fast', endpoint: '/messages', outcome: 'ok' },
        ...{ promptTokens: data.usage.input_tokens, completionTokens: 8 },
      });
      return true;
    });
  });

  test('counts the tokens of a message, which costs its key none', async () => {
    const asked = { model: 'chat-fast', system: 'Be brief.', messages };
    const { data, response } = await client.messages.countTokens(asked).withResponse();
    const { usage } = await client.messages.create({ ...asked, max_tokens: 4 });
    expect(data.input_tokens).toBe(usage.input_tokens);
    expect(response.headers.get('x-fabric-host')).toBe('armitage');
    const requestId = response.headers.get('x-request-id');
    await eventually('the log has a count that used nothing', async () => {
      const row = await fabric.controlPlane.api<LoggedRequest>(`/requests/${requestId}`).catch(() => null);
      if (row === null) return false;
      expect(row).toMatchObject({
        ...{ key: 'claude', endpoint: '/messages/count_tokens', outcome: 'ok' },
        ...{ promptTokens: 0, completionTokens: 0 },
      });
      return true;
    });
    const elsewhere = await refusal(client.messages.countTokens({ ...asked, model: 'chat-cloud' }));
    expect(elsewhere).toBeInstanceOf(Anthropic.BadRequestError);
    expect(elsewhere.error).toMatchObject({ error: { code: 'endpoint_not_spoken' } });
    expect(elsewhere.message).toContain('count_tokens');
  });

  test('streams it to the same words', async () => {
    const request = { model: 'chat-fast', max_tokens: 64, messages };
    const whole = await client.messages.create(request);
    const stream = client.messages.stream(request);
    let text = '';
    stream.on('text', (delta) => {
      text += delta;
    });
    const final = await stream.finalMessage();
    expect(whole.content[0]).toMatchObject({ text });
    expect(final.stop_reason).toBe('end_turn');
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
  });

  test('knows errors by their class and type', async () => {
    const request = { model: 'chat-fast', max_tokens: 8, messages };
    const unknown = await refusal(client.messages.create({ ...request, model: 'chat-fats' }));
    expect(unknown).toBeInstanceOf(Anthropic.NotFoundError);
    expect(unknown.error).toMatchObject({
      type: 'error',
      error: {
        type: 'not_found_error',
        code: 'model_not_found',
        message: expect.stringContaining('chat-fast'),
      },
    });
    const task = await refusal(client.messages.create({ ...request, model: 'embeddings-general' }));
    expect(task).toBeInstanceOf(Anthropic.BadRequestError);
    expect(task.message).toContain('wrong_task');
    const long = [{ role: 'user' as const, content: 'word '.repeat(4_000) }];
    const tooLong = await refusal(client.messages.create({ ...request, messages: long }));
    expect(tooLong).toBeInstanceOf(Anthropic.BadRequestError);
    expect(tooLong.message).toContain('context_length_exceeded');
    const stranger = new Anthropic({ apiKey: 'sk-none', baseURL: fabric.controlPlane.url, maxRetries: 0 });
    const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } };
    expect(await refusal(stranger.messages.create(request, forwarded))).toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    await fabric.engine('qwen-armitage').fault({ kind: 'status503' });
    const full = await refusal(client.messages.create({ ...request, model: 'chat-now' }));
    await fabric.engine('qwen-armitage').fault({ kind: 'none' });
    expect(full).toBeInstanceOf(Anthropic.InternalServerError);
    expect(full.error).toMatchObject({ error: { type: 'overloaded_error' } });
  });

  test('is not sent to a provider that is not declared to speak its API', async () => {
    const error = await refusal(client.messages.create({ model: 'chat-cloud', max_tokens: 8, messages }));
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error.error).toMatchObject({ error: { code: 'endpoint_not_spoken' } });
    expect(error.message).toContain('endpoints');
    expect(fabric.cloud.simulator.requests.filter(({ path }) => path.endsWith('/messages'))).toEqual([]);
  });

  test.each([
    { kind: 'stopMidStream', afterChunks: 4, times: 1 } as const,
    { kind: 'errorInStream', afterChunks: 2, times: 1 } as const,
  ])('knows a stream that breaks off ($kind) by an error', async (fault) => {
    await fabric.engine('qwen-armitage').fault(fault);
    const stream = await client.messages.create({
      ...{ model: 'chat-fast', max_tokens: 64, messages, stream: true },
    });
    const types: string[] = [];
    const error = await refusal(
      (async () => {
        for await (const event of stream) types.push(event.type);
      })(),
    );
    expect(types).toContain('content_block_delta');
    expect(error.error).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  });
});

interface LoggedRequest {
  readonly key: string;
}

/** The error that a call must end with. */
async function refusal(call: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Anthropic.APIError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}

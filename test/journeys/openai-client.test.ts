import { createHash } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { eventually } from '../simulators/common/eventually.js';

const WEATHER_TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const;

describe.each([
  ['with /v1 in its base URL', '/v1'],
  ['without /v1, as clients of LiteLLM have it', ''],
])('the official openai client, %s', (_, path) => {
  let fabric: BootedFabric;
  let client: OpenAI;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: { engines: { 'qwen-armitage': { maxModelLen: 2_048 } } },
        motoko: {
          engines: {
            'bge-motoko': { task: 'embeddings', listed: false, embeddingDimensions: 8 },
            'whisper-motoko': { task: 'transcription', listed: false },
          },
        },
      },
      roles: {
        'chat-fast': { targets: ['qwen-armitage'] },
        'embeddings-general': { task: 'embeddings', targets: ['bge-motoko'] },
        'chat-cloud': { targets: ['openai/cheap'] },
        'chat-any': { targets: ['qwen-armitage', 'openai/cheap'] },
        ears: { task: 'transcription', targets: ['whisper-motoko'] },
      },
      cloud: {},
      aliases: { 'local/chat': 'chat-fast' },
    });
    client = new OpenAI({
      apiKey: 'not-needed',
      baseURL: `${fabric.controlPlane.url}${path}`,
      maxRetries: 0,
    });
  });
  afterAll(() => fabric?.close());

  const messages = [{ role: 'user' as const, content: 'Hello there' }];

  test('chats', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'chat-fast', messages, max_tokens: 8 })
      .withResponse();
    expect(data.choices[0]?.message.content).toContain('qwen-armitage');
    expect(data.usage?.completion_tokens).toBe(8);
    expect(response.headers.get('x-fabric-host')).toBe('armitage');
    expect(response.headers.get('x-fabric-replica')).toBe('qwen-armitage');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    const sent = JSON.parse(fabric.engine('qwen-armitage').inferenceRequests.at(-1)?.bodyText ?? '{}');
    expect(sent).toMatchObject({ model: 'served/qwen-armitage', max_tokens: 8 });
  });

  test('streams, and gets usage only where it asks for it', async () => {
    const request = { model: 'local/chat', messages, max_tokens: 6, stream: true } as const;
    let content = '';
    for await (const chunk of await client.chat.completions.create(request)) {
      expect(chunk.choices).toHaveLength(1);
      content += chunk.choices[0]?.delta.content ?? '';
    }
    const usages: unknown[] = [];
    let again = '';
    const asking = { ...request, stream_options: { include_usage: true } };
    for await (const chunk of await client.chat.completions.create(asking)) {
      again += chunk.choices[0]?.delta.content ?? '';
      if (chunk.usage) usages.push(chunk.usage);
    }
    expect(content).not.toBe('');
    expect(again).toBe(content);
    expect(usages).toMatchObject([{ completion_tokens: 6 }]);
  });

  test('calls tools, streaming and not', async () => {
    const request = {
      model: 'chat-fast',
      messages,
      tools: [WEATHER_TOOL],
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
    } as const;
    const answer = await client.chat.completions.create({ ...request, tools: [...request.tools] });
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });

    const stream = client.chat.completions.stream({ ...request, tools: [...request.tools] });
    const whole = await stream.finalChatCompletion();
    const [streamed] = whole.choices[0]?.message.tool_calls ?? [];
    expect(streamed?.function.name).toBe('get_weather');
    const args = (each: typeof call | typeof streamed): unknown =>
      JSON.parse(each && 'function' in each ? each.function.arguments : 'null');
    expect(args(streamed)).toEqual(args(call));
  });

  test('completes text', async () => {
    const answer = await client.completions.create({
      model: 'chat-fast',
      prompt: 'Once upon',
      max_tokens: 4,
    });
    expect(answer.choices[0]?.text).not.toBe('');
    expect(answer.usage?.completion_tokens).toBe(4);
  });

  test('embeds: base64 on the wire by default, plain numbers where asked, the same vectors', async () => {
    const input = ['one', 'two'];
    const byDefault = await client.embeddings.create({ model: 'embeddings-general', input });
    expect(bodyOfLast()).toMatchObject({ encoding_format: 'base64', model: 'served/bge-motoko' });
    const plain = await client.embeddings.create({
      model: 'embeddings-general',
      input,
      encoding_format: 'float',
    });
    expect(bodyOfLast()).toMatchObject({ encoding_format: 'float' });
    expect(byDefault.data).toHaveLength(2);
    expect(byDefault.data[0]?.embedding).toHaveLength(8);
    plain.data.forEach(({ embedding }, index) => {
      // Single precision went over the wire as base64.
      expect(byDefault.data[index]?.embedding).toEqual(embedding.map((value) => expect.closeTo(value, 5)));
    });
    expect(byDefault.data[0]?.embedding).not.toEqual(byDefault.data[1]?.embedding);
  });

  const bodyOfLast = (): unknown =>
    JSON.parse(fabric.engine('bge-motoko').inferenceRequests.at(-1)?.bodyText ?? '{}');

  test.each(['chat-fast', 'chat-cloud'])('has responses of %s, whole and streamed', async (model) => {
    const request = {
      model,
      instructions: 'Be brief.',
      input: 'Hello there',
      max_output_tokens: 64,
    } as const;
    const whole = await client.responses.create(request);
    expect(whole).toMatchObject({ status: 'completed', output_text: expect.stringContaining('Hello there') });
    expect(whole.usage?.input_tokens).toBeGreaterThan(0);

    const stream = client.responses.stream(request);
    let deltas = '';
    stream.on('response.output_text.delta', ({ delta }) => {
      deltas += delta;
    });
    const streamed = await stream.finalResponse();
    expect(deltas).toBe(whole.output_text);
    expect(streamed.usage).toEqual(expect.objectContaining({ output_tokens: whole.usage?.output_tokens }));
    const requestId = (await client.responses.create(request).withResponse()).response.headers.get(
      'x-request-id',
    );
    await eventually('the log has its tokens', async () => {
      const row = await fabric.controlPlane.api<LoggedRequest>(`/requests/${requestId}`).catch(() => null);
      return row?.promptTokens === whole.usage?.input_tokens && row?.endpoint === '/responses';
    });
  });

  test('knows a response that breaks off by an error, behind what came of it', async () => {
    await fabric.engine('qwen-armitage').fault({ kind: 'stopMidStream', afterChunks: 6, times: 1 });
    const stream = await client.responses.create({ model: 'chat-fast', input: 'Hello', stream: true });
    const types: string[] = [];
    const error = await refusal(
      (async () => {
        for await (const event of stream) types.push(event.type);
      })(),
    );
    expect(types).toContain('response.output_text.delta');
    expect(error.code).toBe('upstream_interrupted');
  });

  test('knows that a response is not kept', async () => {
    for (const call of [client.responses.retrieve('resp_1'), client.responses.cancel('resp_1')]) {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error.code).toBe('response_not_found');
    }
    const later = { model: 'chat-fast', input: 'Hello', previous_response_id: 'resp_1' };
    const error = await refusal(client.responses.create(later));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error.message).toContain('resp_1');
  });

  test('goes on from a response where that was answered', async () => {
    await fabric.engine('qwen-armitage').fault({ kind: 'status500', times: 1 });
    const first = await client.responses.create({ model: 'chat-any', input: 'Hello' });
    const next = { model: 'chat-any', input: 'And now?', previous_response_id: first.id };
    const { response } = await client.responses.create(next).withResponse();
    expect(response.headers.get('x-fabric-replica')).toBe('openai/cheap');
    expect(response.headers.get('x-fabric-attempts')).toBe('1');
    const other = (await client.responses.create({ model: 'chat-any', input: 'Hello' }).withResponse())
      .response;
    expect(other.headers.get('x-fabric-replica')).toBe('qwen-armitage');
  });

  test('has sound written down: what the engine hears is what was sent', async () => {
    // More than the gateway holds in memory: the model's name comes behind it.
    const sound = Buffer.alloc(
      3_000_000,
      Buffer.from(Array.from({ length: 4_093 }, (_, index) => (index * 79) % 256)),
    );
    const sha256 = createHash('sha256').update(sound).digest('hex');
    const file = await toFile(sound, 'größe.wav', { type: 'audio/wav' });
    const { text } = await client.audio.transcriptions.create({ model: 'ears', file, language: 'de' });
    expect(text).toBe(`whisper-motoko hears 3000000 bytes of größe.wav, ${sha256}.`);
    const translated = await client.audio.translations.create({
      ...{ model: 'ears', file, response_format: 'text' },
    });
    expect(translated).toBe(`whisper-motoko translates 3000000 bytes of größe.wav, ${sha256}.\n`);

    let streamed = '';
    const stream: AsyncIterable<unknown> = await client.audio.transcriptions.create({
      ...{ model: 'ears', file, stream: true },
    });
    for await (const chunk of stream) streamed += (chunk as TranscriptChunk).choices[0]?.delta.content ?? '';
    expect(streamed).toBe(text);
    const error = await refusal(client.audio.transcriptions.create({ model: 'chat-fast', file }));
    expect(error.code).toBe('wrong_task');
  });

  test('lists models, and one by its name', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids.sort()).toEqual([
      'chat-any',
      'chat-cloud',
      'chat-fast',
      'ears',
      'embeddings-general',
      'local/chat',
      'openai/cheap',
      'openai/strong',
      'qwen-armitage',
    ]);
    expect(await client.models.retrieve('local/chat')).toMatchObject({ id: 'local/chat', object: 'model' });
  });

  test('knows an unknown model by its error, with the nearest names', async () => {
    const error = await refusal(client.chat.completions.create({ model: 'chat-fats', messages }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    expect(error.message).toContain('chat-fast');
    expect(error.requestID).toEqual(expect.any(String));
    expect(await refusal(client.models.retrieve('nobody'))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('knows a prompt that is too long by its code', async () => {
    const long = [{ role: 'user' as const, content: 'word '.repeat(4_000) }];
    for (const stream of [false, true]) {
      const error = await refusal(
        client.chat.completions.create({ model: 'chat-fast', messages: long, stream }),
      );
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error.code).toBe('context_length_exceeded');
    }
  });

  test('knows a chat with an embedding model for a mistake of its own', async () => {
    const error = await refusal(client.chat.completions.create({ model: 'embeddings-general', messages }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error.code).toBe('wrong_task');
    expect(error.message).toContain('embeddings');
  });
});

interface LoggedRequest {
  readonly endpoint: string;
  readonly promptTokens: number | null;
}

/** As vLLM writes it. */
interface TranscriptChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

/** The error that a call must end with. */
async function refusal(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  return error as InstanceType<typeof OpenAI.APIError>;
}

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { VllmSimulatorOptions } from './options.js';
import { startVllmSimulator, type VllmSimulator } from './start-vllm-simulator.js';

vi.setConfig({ testTimeout: 20_000 });

const started: VllmSimulator[] = [];

async function start(options: Partial<VllmSimulatorOptions> = {}): Promise<VllmSimulator> {
  const simulator = await startVllmSimulator({ model: 'qwen', name: 'armitage', ...options });
  started.push(simulator);
  return simulator;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
});

function post(simulator: VllmSimulator, path: string, body: object | FormData): Promise<Response> {
  const init = body instanceof FormData ? { body } : { body: JSON.stringify(body), headers: JSON_TYPE };
  return fetch(`${simulator.url}${path}`, { method: 'POST', ...init });
}

interface Reply {
  readonly output: readonly [{ readonly content: readonly [{ readonly text: string }] }];
  readonly usage: object;
  readonly results: readonly [Ranked, Ranked];
  readonly data: readonly { readonly score: number }[];
  readonly text: string;
}

interface Ranked {
  readonly index: number;
  readonly relevance_score: number;
}

async function readReply(response: Promise<Response>): Promise<Reply> {
  return (await (await response).json()) as Reply;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** The data of each event, in order. */
async function readTyped(response: Response): Promise<Record<string, unknown>[]> {
  const events = (await response.text()).split('\n\n').filter((event) => event !== '');
  return events.map((event) => {
    const [name = '', data = ''] = event.split('\n');
    const value = JSON.parse(data.replace('data: ', ''));
    expect(name).toBe(`event: ${value.type}`);
    return value;
  });
}

describe('responses', () => {
  const ask = { model: 'qwen', input: 'hello', max_output_tokens: 4 };

  it('are answered whole, and as events that come to the same', async () => {
    const simulator = await start();
    const whole = await readReply(post(simulator, '/v1/responses', ask));
    expect(whole).toMatchObject({ object: 'response', usage: { output_tokens: 4 } });
    const events = await readTyped(await post(simulator, '/v1/responses', { ...ask, stream: true }));
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const text = events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
    expect(text.join('')).toBe(whole.output[0].content[0].text);
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: whole.usage } });
  });

  it('know no earlier one, and no model but their own', async () => {
    const simulator = await start();
    const later = await post(simulator, '/v1/responses', { ...ask, previous_response_id: 'resp_1' });
    expect(later.status).toBe(404);
    expect(await later.json()).toMatchObject({ error: { param: 'response_id' } });
    expect((await post(simulator, '/v1/responses', { ...ask, model: 'x' })).status).toBe(404);
  });
});

describe('messages', () => {
  const ask = { model: 'qwen', max_tokens: 4, messages: [{ role: 'user', content: 'hello' }] };

  it('are answered whole, and as events that come to the same', async () => {
    const simulator = await start();
    const whole = await readReply(post(simulator, '/v1/messages', ask));
    expect(whole).toMatchObject({ type: 'message', stop_reason: 'max_tokens', usage: { output_tokens: 4 } });
    const events = await readTyped(await post(simulator, '/v1/messages', { ...ask, stream: true }));
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      ...Array.from({ length: 4 }, () => 'content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events.at(-2)).toMatchObject({ usage: whole.usage });
  });

  it('are counted as they would be read, without a token written', async () => {
    const simulator = await start();
    const { messages } = ask;
    const counted = await readReply(
      post(simulator, '/v1/messages/count_tokens', { model: 'qwen', messages }),
    );
    const { usage } = await readReply(post(simulator, '/v1/messages', ask));
    expect(counted).toEqual({ input_tokens: expect.any(Number) });
    expect(usage).toMatchObject(counted);
    const refused = await post(simulator, '/v1/messages/count_tokens', { model: 'x', messages });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ type: 'error' });
  });

  it("tell errors as Anthropic's API does, in a stream too", async () => {
    const simulator = await start();
    const refused = await post(simulator, '/v1/messages', { ...ask, model: 'x' });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'NotFoundError' } });
    await simulator.fault({ kind: 'errorInStream', afterChunks: 1 });
    const events = await readTyped(await post(simulator, '/v1/messages', { ...ask, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'internal_error' } });
  });
});

describe('scores', () => {
  it('rank documents, by the weights alone', async () => {
    const [one, other] = [await start({ runner: 'scoring' }), await start({ runner: 'pooling' })];
    const ask = { model: 'qwen', query: 'q', documents: ['a', 'b', 'c'], top_n: 2 };
    const ranked = await readReply(post(one, '/v1/rerank', ask));
    expect(ranked.results).toHaveLength(2);
    expect(ranked.results[0].relevance_score).toBeGreaterThanOrEqual(ranked.results[1].relevance_score);
    expect((await readReply(post(other, '/v1/rerank', ask))).results).toEqual(ranked.results);
    const scored = await readReply(post(one, '/v1/score', { text_1: 'q', text_2: ['a', 'b', 'c'] }));
    expect(scored.data[ranked.results[0].index]?.score).toBe(ranked.results[0].relevance_score);
    const pairs = { queries: ['q', 'r'], documents: ['a', 'b', 'c'] };
    expect((await post(one, '/v1/score', pairs)).status).toBe(400);
  });

  it('are not for a model that writes, nor embeddings for one that scores', async () => {
    const ask = { query: 'q', documents: [] };
    expect((await post(await start(), '/v1/rerank', ask)).status).toBe(400);
    expect((await post(await start({ runner: 'scoring' }), '/v1/embeddings', { input: 'x' })).status).toBe(
      400,
    );
  });
});

describe('audio', () => {
  const sound = Buffer.from([0, 13, 10, 45, 45, 255]);
  function formOf(fields: Readonly<Record<string, string>>): FormData {
    const form = new FormData();
    form.append('file', new Blob([sound]), 'a.wav');
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return form;
  }

  it('is written down: the text tells who heard which bytes', async () => {
    const simulator = await start({ runner: 'speech' });
    const form = formOf({ model: 'qwen' });
    const { text, usage } = await readReply(post(simulator, '/v1/audio/transcriptions', form));
    expect(text).toBe(
      `armitage hears 6 bytes of a.wav, ${createHash('sha256').update(sound).digest('hex')}.`,
    );
    expect(usage).toEqual({ type: 'duration', seconds: 1 });
    const plain = await post(simulator, '/v1/audio/translations', formOf({ response_format: 'text' }));
    expect(plain.headers.get('content-type')).toContain('text/plain');
    expect(await plain.text()).toContain('translates');
  });

  it('is streamed as chats are', async () => {
    const simulator = await start({ runner: 'speech' });
    const form = formOf({ stream: 'true', stream_include_usage: 'true' });
    const text = await (await post(simulator, '/v1/audio/transcriptions', form)).text();
    expect(text).toContain('"object":"transcription.chunk"');
    expect(text).toContain('"choices":[],"usage":{"prompt_tokens":50');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('needs a file, a form and a model that hears', async () => {
    const simulator = await start({ runner: 'speech' });
    const fileless = new FormData();
    fileless.append('model', 'qwen');
    expect((await post(simulator, '/v1/audio/transcriptions', fileless)).status).toBe(422);
    expect((await post(simulator, '/v1/audio/transcriptions', {})).status).toBe(400);
    expect((await post(await start(), '/v1/audio/transcriptions', formOf({}))).status).toBe(400);
  });
});

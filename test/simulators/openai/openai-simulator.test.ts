import { ManualClock } from '@ai-fabric/shared/testing';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEvents, readReply } from '../common/api-reply.js';
import { eventually } from '../common/eventually.js';
import { type OpenAiSimulator, startOpenAiSimulator } from './start-openai-simulator.js';

// Real sockets and processes on a machine that others keep busy: the conditions decide, not the time.
vi.setConfig({ testTimeout: 20_000 });

const clock = new ManualClock();
let simulator: OpenAiSimulator;

beforeEach(async () => {
  simulator = await startOpenAiSimulator({ apiKey: 'sk-right-key', requestsPerMinute: 3, clock });
});

afterEach(() => simulator.close());

const hello = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'hello' }] };

function post(path: string, body: unknown, key: string | null = 'sk-right-key', signal?: AbortSignal) {
  return fetch(`${simulator.baseUrl}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

describe('keys and limits', () => {
  it('refuses a wrong key with invalid_api_key, shows none of its middle, and a missing one', async () => {
    const wrong = await post('/chat/completions', hello, 'sk-wrong-secret-key');
    expect(wrong.status).toBe(401);
    const { error } = await readReply(wrong);
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' });
    expect(error.message).not.toContain('wrong-secret');
    expect((await post('/chat/completions', hello, null)).status).toBe(401);
  });

  it('says what is left of its limits, refuses above them with retry-after, and lets in again later', async () => {
    const first = await post('/chat/completions', hello);
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-reset-requests')).toBe('1m0s');
    await post('/chat/completions', hello);
    await post('/chat/completions', hello);
    clock.advance(15_000);
    const refused = await post('/chat/completions', hello);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '45']);
    expect((await readReply(refused)).error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
    clock.advance(45_000);
    expect((await post('/chat/completions', hello)).status).toBe(200);
  });

  it('tells an unknown model, a context that is too long and a body that is not JSON apart', async () => {
    const unknown = await post('/chat/completions', { ...hello, model: 'gpt-99' });
    expect((await readReply(unknown)).error.code).toBe('model_not_found');
    const messages = [{ role: 'user', content: 'x'.repeat(600_000) }];
    const long = await post('/chat/completions', { ...hello, messages });
    expect((await readReply(long)).error.code).toBe('context_length_exceeded');
    expect((await post('/chat/completions', 'words')).status).toBe(400);
  });
});

describe('answers', () => {
  it('streams with usage null on every chunk but the last, as OpenAI does', async () => {
    const body = { ...hello, stream: true, stream_options: { include_usage: true } };
    const events = await readEvents(post('/chat/completions', body));
    expect(events.slice(0, -1).every((event) => event.usage === null)).toBe(true);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 32 } });
  });

  it('satisfies the official client: models, chat, streaming, tools and embeddings', async () => {
    await simulator.close();
    simulator = await startOpenAiSimulator({ apiKey: 'sk-right-key', name: 'the-cloud' });
    const client = new OpenAI({ apiKey: 'sk-right-key', baseURL: simulator.baseUrl, maxRetries: 0 });
    expect((await client.models.list()).data.map((model) => model.id)).toContain('gpt-5');
    const reply = await client.chat.completions.create(hello);
    expect(reply.choices[0]?.message.content).toContain('This is the-cloud, serving gpt-5');
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...hello, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(reply.choices[0]?.message.content);
    const tools = [{ type: 'function' as const, function: { name: 'now', parameters: { type: 'object' } } }];
    const call = await client.chat.completions.create({ ...hello, tools });
    expect(call.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'now', arguments: '{}' },
    });
    const vectors = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] });
    expect(vectors.data.map((entry) => entry.embedding.length)).toEqual([1536, 1536]);
  });

  it('remembers what it was sent, refused requests included', async () => {
    await post('/chat/completions', hello, 'sk-wrong');
    expect(simulator.requests).toHaveLength(1);
    expect(simulator.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-wrong' },
    });
    expect(simulator.requests[0]?.bodyText).toBe(JSON.stringify(hello));
  });
});

describe('faults', () => {
  it('answers 429 with retry-after, quota, 5xx and a web page on demand, as often as told', async () => {
    simulator.fault({ kind: 'rateLimited', retryAfterSeconds: 7, times: 1 });
    const limited = await post('/chat/completions', hello);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    simulator.fault({ kind: 'quotaExceeded', times: 1 });
    expect((await readReply(post('/chat/completions', hello))).error.code).toBe('insufficient_quota');
    simulator.fault({ kind: 'serverError', status: 529, times: 1 });
    expect((await post('/chat/completions', hello)).status).toBe(529);
    simulator.fault({ kind: 'html', times: 1 });
    expect((await post('/chat/completions', hello)).headers.get('content-type')).toBe('text/html');
    expect((await post('/chat/completions', hello)).status).toBe(200);
  });

  it('hangs until the client hangs up', async () => {
    simulator.fault({ kind: 'hang' });
    const stop = new AbortController();
    const request = post('/chat/completions', hello, 'sk-right-key', stop.signal).catch(
      (error: Error) => error.name,
    );
    await eventually('it is in flight', () => simulator.inFlight === 1);
    stop.abort();
    expect(await request).toBe('AbortError');
    await eventually('it is forgotten', () => simulator.inFlight === 0);
  });

  it('stops mid-stream, and refuses connections while it is disconnected', async () => {
    simulator.fault({ kind: 'stopMidStream', afterChunks: 2 });
    const response = await post('/chat/completions', { ...hello, stream: true });
    await expect(response.text()).rejects.toThrow();
    simulator.fault(null);
    await simulator.disconnect();
    await expect(post('/chat/completions', hello)).rejects.toThrow();
    await simulator.reconnect();
    expect((await post('/chat/completions', hello)).status).toBe(200);
  });
});

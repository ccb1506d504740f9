import { ManualClock } from '@ai-fabric/shared/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readEvents, readReply } from '../common/api-reply.js';
import { eventually } from '../common/eventually.js';
import type { VllmSimulatorOptions } from './options.js';
import { startVllmSimulator, type VllmSimulator } from './start-vllm-simulator.js';

// Real sockets and processes on a machine that others keep busy: the conditions decide, not the time.
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

const hello = { model: 'qwen', messages: [{ role: 'user', content: 'hello' }] };

function post(
  simulator: VllmSimulator,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${simulator.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  });
}

async function metric(simulator: VllmSimulator, name: string): Promise<number> {
  const page = await (await fetch(`${simulator.url}/metrics`)).text();
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

describe('the life of an engine', () => {
  it('refuses connections until it is loaded, and answers afterwards on the address it had', async () => {
    const simulator = await start({ load: 'on demand' });
    await expect(fetch(`${simulator.url}/health`)).rejects.toThrow();
    await simulator.load();
    expect((await fetch(`${simulator.url}/health`)).status).toBe(200);
  });

  it('loads by itself after the time it was given', async () => {
    const simulator = await start({ load: 30 });
    expect(simulator.listening).toBe(false);
    await eventually('the port opens', () => simulator.listening);
  });

  it('cuts its connections when it crashes, and comes back on the same port with counters at zero', async () => {
    const simulator = await start({ speed: { decodeTokensPerSecond: 2 } });
    const response = await post(simulator, '/v1/chat/completions', { ...hello, stream: true });
    const cut = expect(response.text()).rejects.toThrow();
    await simulator.fault({ kind: 'crash' });
    await cut;
    await expect(fetch(simulator.url)).rejects.toThrow();
    await simulator.restart();
    expect(await metric(simulator, 'vllm:prompt_tokens_total')).toBe(0);
    expect(simulator.aborted).toBe(0);
  });

  it('says 503 on /health and 500 on requests once only the engine process is dead', async () => {
    const simulator = await start();
    await simulator.fault({ kind: 'engineDead' });
    expect((await fetch(`${simulator.url}/health`)).status).toBe(503);
    expect((await readReply(post(simulator, '/v1/chat/completions', hello))).error.code).toBe(500);
  });

  it('lists its served names with the context length and the weights', async () => {
    const simulator = await start({ model: ['qwen', 'gpt'], root: 'Qwen/Qwen2.5', maxModelLen: 4096 });
    const { data } = await readReply(fetch(`${simulator.url}/v1/models`));
    expect(data.map((entry) => entry.id)).toEqual(['qwen', 'gpt']);
    expect(data[0]).toMatchObject({ max_model_len: 4096, root: 'Qwen/Qwen2.5', owned_by: 'vllm' });
    expect(await (await fetch(`${simulator.url}/version`)).json()).toEqual({ version: '0.32.0' });
  });
});

describe('chat', () => {
  it('answers the same prompt alike, and names itself and its model', async () => {
    const simulator = await start();
    const first = await readReply(post(simulator, '/v1/chat/completions', hello));
    const second = await readReply(post(simulator, '/v1/chat/completions', hello));
    expect(first.choices[0].message.content).toContain('This is armitage, serving qwen. You said: "hello"');
    expect(second.choices[0].message.content).toBe(first.choices[0].message.content);
    expect(first.choices[0].finish_reason).toBe('stop');
    expect(first.usage).toMatchObject({
      completion_tokens: 32,
      total_tokens: first.usage.prompt_tokens + 32,
    });
  });

  it('streams the role first, then the same text as unstreamed, then the reason, then [DONE]', async () => {
    const simulator = await start();
    const whole = await readReply(post(simulator, '/v1/chat/completions', hello));
    const response = await post(simulator, '/v1/chat/completions', { ...hello, stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const chunks = await readEvents(response);
    expect(chunks[0]?.choices[0].delta).toEqual({ role: 'assistant', content: '' });
    const text = chunks.map((chunk) => chunk.choices[0].delta.content).join('');
    expect(text).toBe(whole.choices[0].message.content);
    expect(chunks.at(-1)?.choices[0].finish_reason).toBe('stop');
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
  });

  it('adds usage in a last chunk without choices, or on every chunk, as asked', async () => {
    const simulator = await start();
    const ask = (stream_options: object) =>
      post(simulator, '/v1/chat/completions', { ...hello, stream: true, stream_options });
    const last = await readEvents(ask({ include_usage: true }));
    expect(last.filter((chunk) => chunk.usage)).toEqual([
      expect.objectContaining({ choices: [], usage: expect.objectContaining({ completion_tokens: 32 }) }),
    ]);
    const every = await readEvents(ask({ include_usage: true, continuous_usage_stats: true }));
    expect(every.map((chunk) => chunk.usage.completion_tokens).slice(0, 4)).toEqual([0, 1, 2, 3]);
  });

  it('stops at max_tokens with the reason length', async () => {
    const simulator = await start();
    const reply = await readReply(post(simulator, '/v1/chat/completions', { ...hello, max_tokens: 1 }));
    expect(reply.usage.completion_tokens).toBe(1);
    expect(reply.choices[0].finish_reason).toBe('length');
  });

  it('calls the tool it is given, and answers in words once it has the result', async () => {
    const simulator = await start();
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
    };
    const tools = [{ type: 'function', function: { name: 'forecast', parameters } }];
    const whole = await readReply(post(simulator, '/v1/chat/completions', { ...hello, tools }));
    const call = whole.choices[0].message.tool_calls[0];
    expect(whole.choices[0].finish_reason).toBe('tool_calls');
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'hello', days: 5 });
    const chunks = await readEvents(
      await post(simulator, '/v1/chat/completions', { ...hello, tools, stream: true }),
    );
    const parts = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
    expect(parts[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'forecast' } });
    expect(parts.map((part) => part.function.arguments).join('')).toBe(call.function.arguments);
    const result = { role: 'tool', tool_call_id: call.id, content: 'sunny' };
    const after = { ...hello, tools, messages: [...hello.messages, result] };
    const words = await readReply(post(simulator, '/v1/chat/completions', after));
    expect(words.choices[0].message.content).toContain('armitage');
  });

  it('answers plain completions too', async () => {
    const simulator = await start();
    const reply = await readReply(
      post(simulator, '/v1/completions', { model: 'qwen', prompt: 'once', max_tokens: 40 }),
    );
    expect(reply).toMatchObject({ object: 'text_completion', choices: [{ finish_reason: 'stop' }] });
    expect(reply.choices[0].text).toContain('You said: "once"');
  });

  it('counts tokens of a text for /tokenize', async () => {
    const simulator = await start();
    const reply = await readReply(post(simulator, '/tokenize', { model: 'qwen', prompt: 'eight ch' }));
    expect(reply).toMatchObject({ count: 2, max_model_len: 8192 });
    expect(reply.tokens).toHaveLength(2);
  });
});

describe('embeddings', () => {
  it('gives vectors that depend on the model and the input, and are the same in both encodings', async () => {
    const simulator = await start({ model: 'bge', runner: 'pooling' });
    const other = await start({ model: 'e5', runner: 'pooling' });
    const ask = (who: VllmSimulator, body: object) => readReply(post(who, '/v1/embeddings', body));
    const floats = await ask(simulator, { model: 'bge', input: ['a', 'b'] });
    const encoded = await ask(simulator, { model: 'bge', input: 'a', encoding_format: 'base64' });
    const bytes = Buffer.from(String(encoded.data[0].embedding), 'base64');
    const [a, b] = floats.data.map((entry) => entry.embedding);
    expect(a).toHaveLength(384);
    expect(a).toEqual(Array.from({ length: 384 }, (_, index) => bytes.readFloatLE(index * 4)));
    expect(b).not.toEqual(a);
    expect((await ask(other, { model: 'e5', input: 'a' })).data[0].embedding).not.toEqual(a);
  });

  it('are refused by a model that generates, and chat by one that embeds', async () => {
    const chat = await readReply(post(await start(), '/v1/embeddings', { model: 'qwen', input: 'a' }));
    expect(chat.error.message).toContain('does not support Embeddings');
    const pooling = await readReply(post(await start({ runner: 'pooling' }), '/v1/chat/completions', hello));
    expect(pooling.error.code).toBe(400);
  });
});

describe('refusals', () => {
  it('says 400 with param input_tokens when the context overflows', async () => {
    const simulator = await start({ maxModelLen: 100 });
    const body = { model: 'qwen', messages: [{ role: 'user', content: 'x'.repeat(500) }] };
    const response = await post(simulator, '/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect((await readReply(response)).error).toMatchObject({
      type: 'BadRequestError',
      param: 'input_tokens',
      code: 400,
    });
  });

  it('says 404 NotFoundError for an unknown model, and 400 for what is not JSON', async () => {
    const simulator = await start();
    const unknown = await readReply(post(simulator, '/v1/chat/completions', { ...hello, model: 'nobody' }));
    expect(unknown.error).toMatchObject({ type: 'NotFoundError', code: 404 });
    const broken = await readReply(post(simulator, '/v1/chat/completions', '{"model":'));
    expect(broken.error).toMatchObject({ type: 'BadRequestError', code: 400 });
    expect((await fetch(`${simulator.url}/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${simulator.url}/v1/chat/completions`)).status).toBe(405);
  });

  it('sends errors flat where it plays an older version', async () => {
    const simulator = await start({ flatErrors: true });
    const reply = await readReply(post(simulator, '/v1/chat/completions', { ...hello, model: 'nobody' }));
    expect(reply).toMatchObject({ object: 'error', type: 'NotFoundError', code: 404 });
  });

  it('guards /v1 alone with its key', async () => {
    const simulator = await start({ apiKey: 'secret' });
    expect((await post(simulator, '/v1/chat/completions', hello)).status).toBe(401);
    expect((await fetch(`${simulator.url}/metrics`)).status).toBe(200);
  });
});

describe('load', () => {
  const slow = { decodeTokensPerSecond: 2, slowdownPerRunning: 0 };

  it('queues above max-num-seqs and refuses with 503 above max-num-queued-reqs', async () => {
    const simulator = await start({ maxConcurrent: 1, maxQueuedRequests: 1, speed: slow });
    const stop = new AbortController();
    const ask = () => post(simulator, '/v1/chat/completions', { ...hello, stream: true }, stop.signal);
    const first = await ask();
    const second = await ask();
    expect([first.status, second.status, simulator.running, simulator.waiting]).toEqual([200, 200, 1, 1]);
    const third = await ask();
    expect(third.status).toBe(503);
    expect((await readReply(third)).error.code).toBe(503);
    stop.abort();
    await eventually('slots are free', () => simulator.inFlight === 0 && simulator.running === 0);
    expect(simulator.aborted).toBe(2);
  });

  it('gives the slot of a client that hung up to the next one in the queue, streaming or not', async () => {
    const simulator = await start({ maxConcurrent: 1, speed: slow });
    const gone = new AbortController();
    const first = post(simulator, '/v1/chat/completions', hello, gone.signal).catch(() => null);
    await eventually('the first runs', () => simulator.running === 1);
    const second = post(simulator, '/v1/chat/completions', { ...hello, max_tokens: 1 });
    await eventually('the second waits', () => simulator.waiting === 1);
    gone.abort();
    await first;
    expect((await second).status).toBe(200);
    expect(simulator.aborted).toBe(1);
    const name = 'vllm:request_success_total{engine="0",finished_reason="abort",model_name="qwen"}';
    const page = await (await fetch(`${simulator.url}/metrics`)).text();
    expect(page).toContain(`${name} 1.0`);
  });

  it('shows gauges late and as 0 after a cold start, while counters are current', async () => {
    const clock = new ManualClock();
    const simulator = await start({ clock, gaugeLagMs: 4_000, gaugeColdMs: 18_000 });
    await simulator.fault({ kind: 'externalLoad', running: 3, waiting: 2, kvUsage: 0.5 });
    await post(simulator, '/v1/chat/completions', hello);
    const shown = async () => [
      await metric(simulator, 'vllm:num_requests_running'),
      await metric(simulator, 'vllm:kv_cache_usage_perc'),
      await metric(simulator, 'vllm:generation_tokens_total'),
    ];
    expect(await shown()).toEqual([0, 0, 32]);
    clock.advance(17_999);
    expect(await shown()).toEqual([0, 0, 32]);
    clock.advance(1);
    expect(await shown()).toEqual([3, 0.5, 32]);
    await simulator.fault({ kind: 'none' });
    clock.advance(3_999);
    expect(await shown()).toEqual([3, 0.5, 32]);
    clock.advance(1);
    expect(await shown()).toEqual([0, 0, 32]);
  });

  it('finds a shared prefix in its cache and gets through it faster', async () => {
    const clock = new ManualClock();
    const simulator = await start({
      clock,
      promptTokensDetails: true,
      speed: { prefillTokensPerSecond: 100 },
    });
    const history = { role: 'system', content: 'x'.repeat(1600) };
    const ask = async (question: string) => {
      const body = { model: 'qwen', messages: [history, { role: 'user', content: question }] };
      const reply = readReply(post(simulator, '/v1/chat/completions', body));
      const startMs = clock.monotonicMs();
      await eventually('it prefills', () => clock.pendingTimers > 0);
      while (clock.pendingTimers > 0) clock.advance(10);
      return { usage: (await reply).usage, prefillMs: clock.monotonicMs() - startMs };
    };
    const cold = await ask('first question');
    const warm = await ask('other question');
    expect(cold.usage.prompt_tokens_details.cached_tokens).toBe(0);
    expect(warm.usage.prompt_tokens_details.cached_tokens).toBeGreaterThanOrEqual(384);
    expect(cold.prefillMs).toBeGreaterThan(4_000);
    expect(warm.prefillMs).toBeLessThan(cold.prefillMs / 10);
    expect(await metric(simulator, 'vllm:prefix_cache_hits_total')).toBeGreaterThanOrEqual(384);
  });

  it('shows what its version names: current names with created series, or the older ones', async () => {
    const current = await (await fetch(`${(await start()).url}/metrics`)).text();
    expect(current).toContain(
      'vllm:num_requests_waiting_by_reason{engine="0",reason="capacity",model_name="qwen"} 0.0',
    );
    expect(current).toContain('num_gpu_blocks="4096"');
    expect(current).toContain('vllm:prompt_tokens_created{');
    expect(current).toContain(
      'vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="qwen"} 0.0',
    );
    const older = await (await fetch(`${(await start({ olderMetricNames: true })).url}/metrics`)).text();
    expect(older).toContain('vllm:gpu_cache_usage_perc{');
    expect(older).not.toContain('waiting_by_reason');
  });
});

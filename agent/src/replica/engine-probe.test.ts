import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type ExternalReplica, systemClock } from '@ai-fabric/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { type EngineProbe, engineProbe, type LookStep } from './engine-probe.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Answers = Record<
  string,
  { status?: number; body?: unknown; headers?: Record<string, string> } | 'reset'
>;

async function engine(answers: Answers, changed: Partial<ExternalReplica> = {}) {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = answers[`${request.method} ${request.url}`] ?? {
      status: 404,
      body: { detail: 'Not Found' },
    };
    if (answer === 'reset') return void request.socket.destroy();
    const { status = 200, body = '', headers = {} } = answer;
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { probe: openProbe(`http://127.0.0.1:${port}`, changed), asked, port };
}

function openProbe(url: string, changed: Partial<ExternalReplica> = {}): EngineProbe {
  const desired: ExternalReplica = {
    deployment: 'd',
    task: 'chat',
    engine: 'external',
    url,
    servedModel: 'qwen',
    ...changed,
  };
  const probe = engineProbe(desired, systemClock());
  closing.push(() => probe.close());
  return probe;
}

const never = new AbortController().signal;
const list: LookStep = { kind: 'list_models' };
const prove: LookStep = { kind: 'prove', task: 'chat', model: 'qwen' };

describe('a look at an engine', () => {
  test('lists its models and its version', async () => {
    const { probe } = await engine({
      'GET /v1/models': { body: { data: [{ id: 'qwen', max_model_len: 8_192 }] } },
      'GET /version': { body: { version: '0.32.0' } },
    });
    expect(await probe.look(list, never)).toEqual({
      kind: 'models',
      models: [{ id: 'qwen', maxModelLen: 8_192 }],
      engineVersion: '0.32.0',
    });
  });

  test('finds the engine under an address that ends in /v1 too', async () => {
    const { asked, port } = await engine({});
    await openProbe(`http://127.0.0.1:${port}/v1/`).look(list, never);
    await openProbe(`http://127.0.0.1:${port}/proxy/v1`).look(list, never);
    expect(asked).toEqual(['GET /v1/models', 'GET /proxy/v1/models']);
  });

  test('of a base model falls back from chat to completion', async () => {
    const { probe, asked } = await engine({
      'POST /v1/chat/completions': { status: 400, body: { error: { message: 'no chat template' } } },
      'POST /v1/completions': { body: { choices: [{ text: 'x' }], usage: { completion_tokens: 1 } } },
    });
    expect(await probe.look(prove, never)).toEqual({ kind: 'proved' });
    expect(asked).toHaveLength(2);
  });

  test('that refuses both tells the first refusal', async () => {
    const { probe } = await engine({
      'POST /v1/chat/completions': {
        status: 404,
        body: { error: { message: 'The model qwen does not exist.' } },
      },
      'POST /v1/completions': { status: 500, body: 'x' },
    });
    expect(await probe.look(prove, never)).toMatchObject({
      kind: 'proof_failed',
      detail: expect.stringContaining('The model qwen does not exist.'),
    });
  });

  test('never follows a redirect', async () => {
    const { probe, asked } = await engine({
      'GET /v1/models': { status: 307, headers: { location: '/elsewhere' } },
    });
    expect(await probe.look(list, never)).toMatchObject({
      kind: 'odd',
      detail: expect.stringContaining('redirect'),
    });
    expect(asked).toEqual(['GET /v1/models']);
  });

  test('takes no endless body', async () => {
    const { probe } = await engine({ 'GET /v1/models': { body: 'x'.repeat(2_000_000) } });
    expect(await probe.look(list, never)).toMatchObject({
      kind: 'silent',
      detail: expect.stringContaining('bytes'),
    });
  });

  test('at a port where nobody listens is refused', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await openProbe(`http://127.0.0.1:${port}`).look(list, never)).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining(`127.0.0.1:${port} refuses connections`),
    });
  });

  test('that breaks off tells a crash at the first token from a lost connection', async () => {
    const { probe } = await engine({ 'POST /v1/chat/completions': 'reset', 'GET /health': 'reset' });
    expect((await probe.look(prove, never)).kind).toBe('proof_failed');
    expect((await probe.look({ kind: 'check_health' }, never)).kind).toBe('silent');
  });

  test('proves embeddings with an embedding', async () => {
    const { probe } = await engine({ 'POST /v1/embeddings': { body: { data: [{ embedding: [0.5] }] } } });
    expect(await probe.look({ kind: 'prove', task: 'embeddings', model: 'bge' }, never)).toEqual({
      kind: 'proved',
    });
  });

  test('shows no password of the address', async () => {
    const probe = openProbe('http://anna:geheim@127.0.0.1:1');
    expect(JSON.stringify(await probe.look(list, never))).not.toContain('geheim');
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf } from '../harness/raw-http.js';
import { readStream } from '../harness/read-stream.js';
import { eventually } from '../simulators/common/eventually.js';
import type { VllmFault } from '../simulators/vllm/faults.js';

interface ChatAnswer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

describe('an engine that fails', () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: { agent: 'stand-in', engines: { first: {} } },
        wintermute: {
          agent: 'stand-in',
          engines: { second: {}, sluggish: { speed: { decodeTokensPerSecond: 0.05 } } },
        },
      },
      cloud: {},
      roles: {
        // In order: what the first cannot, the cloud does.
        'chat-fast': {
          targets: ['first', 'openai/cheap'],
          patienceSeconds: 0,
          firstByteTimeoutSeconds: 1,
          idleTimeoutSeconds: 1,
        },
        'chat-stalling': { targets: ['sluggish', 'openai/cheap'], idleTimeoutSeconds: 1, patienceSeconds: 0 },
        'chat-local': {
          targets: ['second'],
          firstByteTimeoutSeconds: 1,
          idleTimeoutSeconds: 1,
          patienceSeconds: 0,
        },
      },
    });
  });
  afterEach(async () => {
    for (const name of ['first', 'second']) {
      const engine = fabric.engine(name);
      await engine.fault({ kind: 'none' });
      if (!engine.listening) await engine.restart();
      // Each test leaves the breaker with more successes than failures: it is not what the others are about.
      for (let success = 0; success < 2; success += 1) {
        await eventually(`${name} is asked again`, async () => (await fabric.chat(name)).status === 200);
      }
      engine.forgetRequests();
    }
    fabric.cloud.simulator.forgetRequests();
  });
  afterAll(() => fabric?.close());

  const faults: readonly (readonly [string, VllmFault, string])[] = [
    ['is killed', { kind: 'crash' }, 'upstream_unreachable'],
    ['answers a web page', { kind: 'html', times: 1 }, 'upstream_invalid_answer'],
    ['answers 502 with a web page', { kind: 'badGateway', times: 1 }, 'upstream_error'],
    ['answers 503', { kind: 'status503', times: 1 }, 'no_capacity'],
    ['answers 500', { kind: 'status500', times: 1 }, 'upstream_error'],
    [
      'redirects',
      { kind: 'redirect', location: 'http://169.254.169.254/', times: 1 },
      'upstream_invalid_answer',
    ],
    ['never answers', { kind: 'never', times: 1 }, 'upstream_timeout'],
    ['breaks off amid its JSON', { kind: 'truncateJson', times: 1 }, 'upstream_invalid_answer'],
  ];

  test.each(faults)('that %s: its request is answered elsewhere', async (_, fault) => {
    await fabric.engine('first').fault(fault);
    const answer = await fabric.chat('chat-fast');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-fabric-host')).toBe('openai');
    expect(answer.headers.get('x-fabric-attempts')).toBe('2');
    expect(((await answer.json()) as ChatAnswer).choices[0]?.message.content).not.toBe('');
    expect(fabric.cloud.simulator.requests).toHaveLength(1);
    expect(await fabric.inFlight('first')).toBe(0);
  });

  test.each(faults)(
    'that %s, where nothing else can: an error in the envelope of OpenAI',
    async (_, fault, code) => {
      await fabric.engine('second').fault(fault);
      const answer = await fabric.chat('chat-local');
      expect(answer.headers.get('content-type')).toContain('application/json');
      const error = errorOf(await answer.text());
      expect(error).toMatchObject({ code, message: expect.stringContaining('"chat-local"') });
      expect(answer.status).toBeGreaterThanOrEqual(502);
      expect(await fabric.inFlight('second')).toBe(0);
    },
  );

  test('dies mid-stream: what came is kept, an error event follows, and no [DONE]', async () => {
    await fabric.engine('first').fault({ kind: 'stopMidStream', afterChunks: 4, times: 1 });
    const stream = await readStream(await fabric.chat('chat-fast', { stream: true }));
    expect(stream.content).not.toBe('');
    expect(stream.errorCode).toBe('upstream_interrupted');
    expect(stream.done).toBe(false);
    // Never a replay: the client has some of the answer already.
    expect(fabric.cloud.simulator.requests).toHaveLength(0);
    expect(fabric.engine('first').inferenceRequests).toHaveLength(1);
    expect(await fabric.inFlight('first')).toBe(0);
  });

  test('dies before its first event: the stream comes from elsewhere', async () => {
    await fabric.engine('first').fault({ kind: 'stopMidStream', afterChunks: 0, times: 1 });
    const answer = await fabric.chat('chat-fast', { stream: true });
    expect(answer.headers.get('x-fabric-host')).toBe('openai');
    const stream = await readStream(answer);
    expect(stream).toMatchObject({ done: true, errorCode: null });
  });

  test('tells an error inside its stream: it is passed on as it came', async () => {
    await fabric.engine('first').fault({ kind: 'errorInStream', afterChunks: 3, times: 1 });
    const stream = await readStream(await fabric.chat('chat-fast', { stream: true }));
    expect(stream.content).not.toBe('');
    expect(stream.text).toContain('EngineCore encountered an issue');
    expect(fabric.cloud.simulator.requests).toHaveLength(0);
  });

  test('stalls mid-stream: the client is told within the idle time of the role, and the engine is let go', async () => {
    const stream = await readStream(await fabric.chat('chat-stalling', { stream: true }));
    expect(stream).toMatchObject({ done: false, errorCode: 'upstream_interrupted' });
    expect(stream.content).not.toBe('');
    await eventually('the engine is let go', () => fabric.engine('sluggish').aborted === 1);
    expect(await fabric.inFlight('sluggish')).toBe(0);
  });

  test('splits characters over segments: the bytes arrive as they were sent', async () => {
    await fabric.engine('first').fault({ kind: 'splitUtf8', times: 2 });
    const whole = (await (await fabric.chat('chat-fast')).json()) as ChatAnswer;
    expect(whole.choices[0]?.message.content).toMatch(/[^ -~]/);
    const stream = await readStream(await fabric.chat('chat-fast', { stream: true }));
    expect(stream).toMatchObject({ done: true, content: whole.choices[0]?.message.content });
    expect(stream.content).not.toContain('\uFFFD');
  });

  test('fails again and again: it is left alone for a while, and asked again when it is mended', async () => {
    await fabric.engine('first').fault({ kind: 'status500' });
    for (let request = 0; request < 6; request += 1)
      expect((await fabric.chat('chat-fast')).status).toBe(200);
    expect(fabric.engine('first').inferenceRequests.length).toBeLessThan(6);
    await fabric.engine('first').fault({ kind: 'none' });
    await eventually('the first engine answers again', async () => {
      return (await fabric.chat('chat-fast')).headers.get('x-fabric-replica') === 'first';
    });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf } from '../harness/raw-http.js';
import { eventually } from '../simulators/common/eventually.js';

describe('the only replica of a role is made anew', () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: { armitage: { engines: { only: { maxConcurrent: 3 } } } },
      roles: {
        'chat-fast': { targets: ['only'] },
        'chat-hasty': { targets: ['only'], patienceSeconds: 0 },
        'chat-brief': { targets: ['only'], patienceSeconds: 1 },
      },
    });
  }, 60_000);
  afterEach(async () => {
    if (!fabric.engine('only').listening) await fabric.engine('only').restart();
    await fabric.untilPhase('only', 'ready');
  });
  afterAll(() => fabric?.close());

  const ask = async (model: string, stream: boolean): Promise<string> => {
    const answer = await fabric.chat(model, { stream, max_tokens: 4 });
    const text = await answer.text();
    const isWhole = stream
      ? text.includes('data: [DONE]') && !text.includes('"error"')
      : text.includes('"choices"');
    return answer.status === 200 && isWhole ? 'answered' : `${answer.status}: ${text}`;
  };
  const held = async (): Promise<number> => {
    const text = await (await fetch(`${fabric.controlPlane.url}/metrics`)).text();
    return Number(/^ai_fabric_held_requests\{role="chat-fast",class="normal"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  test('under load, with streams and without: not one request is lost', { timeout: 60_000 }, async () => {
    const engine = fabric.engine('only');
    // More than it takes at once, so that some are with the engine and some in the queue when it goes.
    const underWay = Array.from({ length: 9 }, () => ask('chat-fast', false));
    await engine.fault({ kind: 'crash' });
    const whileAway = Array.from({ length: 20 }, (_, index) => ask('chat-fast', index % 2 === 0));
    await eventually('they are held', async () => (await held()) >= 20);
    await eventually('the agent has seen it go', async () => {
      const { observed } = await fabric.controlPlane.api<{ observed: { status: { phase: string } } }>(
        '/deployments/only',
      );
      return observed.status.phase !== 'ready';
    });
    await engine.restart();
    const answers = await Promise.all([...underWay, ...whileAway]);
    expect(answers.filter((answer) => answer !== 'answered')).toEqual([]);
    expect(await held()).toBe(0);
    expect(await fabric.inFlight('only')).toBe(0);
  });

  test('what was held says so, in its headers and in the log', { timeout: 60_000 }, async () => {
    await fabric.engine('only').fault({ kind: 'crash' });
    const asked = fabric.chat('chat-fast', {}, { headers: { 'x-request-id': 'held-and-served' } });
    await eventually('it is held', async () => (await held()) === 1);
    await fabric.engine('only').restart();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('x-fabric-queue-ms'))).toBeGreaterThan(0);
    await answer.text();
    let row = { queueMs: 0, explanation: { whyHere: '' } };
    await eventually('it is in the log', async () => {
      row = await fabric.controlPlane.api<typeof row>('/requests/held-and-served');
      return row.queueMs > 0;
    });
    expect(JSON.stringify(row)).toMatch(/held [\d.]+ s: only /);
  });

  test('a client that hangs up leaves the queue at once', { timeout: 60_000 }, async () => {
    await fabric.engine('only').fault({ kind: 'crash' });
    const hangUp = new AbortController();
    const asked = fabric.chat('chat-fast', {}, { signal: hangUp.signal }).catch(() => 'gone');
    await eventually('it is held', async () => (await held()) === 1);
    hangUp.abort();
    expect(await asked).toBe('gone');
    await eventually('it has left', async () => (await held()) === 0);
  });

  test('a role without patience refuses at once, one with little in time', { timeout: 60_000 }, async () => {
    await fabric.engine('only').fault({ kind: 'crash' });
    const hasty = await fabric.chat('chat-hasty');
    expect(hasty.status).toBeGreaterThanOrEqual(500);
    await hasty.text();
    const brief = await fabric.chat('chat-brief');
    expect([502, 503]).toContain(brief.status);
    expect(['upstream_unreachable', 'not_ready', 'loading']).toContain(errorOf(await brief.text()).code);
  });
});

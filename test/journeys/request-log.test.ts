import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { type CliResult, runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

interface Logged {
  readonly requestId: string;
  readonly sequence: number;
  readonly outcome: string;
}
interface Explained extends Logged {
  readonly sequence: number;
  readonly explanation: { readonly whyHere: string; readonly whyNotThere: readonly unknown[] };
}
interface Page {
  readonly items: readonly Logged[];
  readonly nextCursor: string | null;
  readonly newestSequence: number;
}

describe('the request log', () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: {
          agent: 'stand-in',
          engines: { quick: {}, slow: { speed: { decodeTokensPerSecond: 20 }, replyTokens: 10_000 } },
        },
        motoko: { agent: 'stand-in', engines: { broken: {} } },
        wintermute: { agent: 'none', mayBeAway: true, engines: { deep: {} } },
      },
      roles: {
        'chat-fast': { targets: ['quick', 'deep'] },
        'chat-deep': { targets: ['deep'] },
        'chat-sure': { targets: ['broken', 'quick'] },
      },
    });
  });
  afterAll(() => fabric?.close());

  const ask = (model: string, requestId: string, more = {}, init: RequestInit = {}) =>
    fabric.chat(model, more, {
      headers: { 'content-type': 'application/json', 'x-request-id': requestId },
      ...init,
    });
  const page = (query: string) => fabric.controlPlane.api<Page>(`/requests?${query}`);
  const logged = async (requestId: string): Promise<Explained> => {
    let found: Explained | null = null;
    await eventually(`${requestId} is in the log`, async () => {
      const answer = await fetch(`${fabric.controlPlane.url}/api/v1/requests/${requestId}`, {
        headers: { authorization: `Bearer ${fabric.controlPlane.adminToken}` },
      });
      found = answer.ok ? ((await answer.json()) as Explained) : null;
      return found !== null && found.sequence > 0;
    });
    if (found === null) throw new Error('unreachable');
    return found;
  };
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--data', fabric.controlPlane.dataDirectory]);

  test('knows a request by the id of its answer, who served it and why', async () => {
    const answer = await fabric.chat('chat-fast', { stream: true });
    await answer.text();
    const requestId = answer.headers.get('x-request-id') ?? '';
    expect(await logged(requestId)).toMatchObject({
      ...{ requestId, key: 'anonymous', role: 'chat-fast', target: 'quick', host: 'armitage' },
      ...{ endpoint: '/chat/completions', stream: true, outcome: 'ok', status: 200, attempts: 1 },
      reason: 'only_candidate',
      promptTokens: expect.any(Number),
      completionTokens: expect.any(Number),
      ttftMs: expect.any(Number),
      explanation: {
        whyHere: '"chat-fast" went to quick on armitage: it was the only one that could take it.',
        whyNotThere: [{ target: 'deep', code: 'host_away', words: expect.stringContaining('no link') }],
      },
    });
  });

  test('knows it at once, before its row is written', async () => {
    expect((await ask('chat-fast', 'at-once-1')).status).toBe(200);
    const { controlPlane } = fabric;
    let known: Explained | null = null;
    await eventually('it is known', async () => {
      known = await controlPlane.api<Explained>('/requests/at-once-1');
      return true;
    });
    expect(known).toMatchObject({ requestId: 'at-once-1', target: 'quick', outcome: 'ok' });
    await eventually('it is written', async () => {
      const { sequence } = await controlPlane.api<Explained>('/requests/at-once-1');
      return sequence > 0;
    });
  });

  test('knows a refused one, and why not there', async () => {
    expect((await ask('chat-deep', 'refused-1')).status).toBe(503);
    expect(await logged('refused-1')).toMatchObject({
      ...{ role: 'chat-deep', target: '', host: '', outcome: 'refused', status: 503, attempts: 0 },
      ...{ reason: 'host_away', totalMs: expect.any(Number), promptTokens: null },
      explanation: {
        whyHere: '"chat-deep" went nowhere: its host was away (1 target looked at).',
        whyNotThere: [{ target: 'deep', code: 'host_away', words: expect.stringContaining('no link') }],
      },
    });
  });

  test('knows one that asked for nothing of ours, and one that admission refused', async () => {
    expect((await ask('chat-fats', 'unknown-1')).status).toBe(404);
    expect(await logged('unknown-1')).toMatchObject({
      ...{ role: '', outcome: 'client_error', status: 404, reason: 'model_not_found' },
    });
    const foreign = await fetch(`${fabric.controlPlane.url}/v1/models`, {
      headers: { origin: 'https://evil.example', 'x-request-id': 'foreign-1' },
    });
    expect(foreign.status).toBe(403);
    expect(await logged('foreign-1')).toMatchObject({ key: '', reason: 'origin_not_allowed', status: 403 });
  });

  test('knows one whose client hung up', async () => {
    const hangUp = new AbortController();
    const answer = await ask(
      'slow',
      'gone-1',
      { stream: true, max_tokens: 5_000 },
      { signal: hangUp.signal },
    );
    const reader = answer.body?.getReader();
    await reader?.read();
    hangUp.abort();
    await reader?.closed.catch(() => undefined);
    expect(await logged('gone-1')).toMatchObject({
      ...{
        role: 'slow',
        target: 'slow',
        outcome: 'client_gone',
        reason: 'left_while_answering',
        status: 200,
      },
    });
  });

  test('tells the attempts that failed before the one that served', async () => {
    // One that is known to be as fast as the other: chance chooses between the two until the broken one was met.
    for (let count = 0; count < 12; count += 1) await ask('broken', `known-${count}`);
    await fabric.engine('broken').close();
    let met: Explained | null = null;
    for (let count = 0; met === null && count < 20; count += 1) {
      const answer = await ask('chat-sure', `sure-${count}`);
      expect(answer.status).toBe(200);
      if (answer.headers.get('x-fabric-attempts') === '2') met = await logged(`sure-${count}`);
    }
    expect(met).toMatchObject({
      ...{ target: 'quick', outcome: 'ok', attempts: 2 },
      explanation: { whyNotThere: [{ target: 'broken', code: 'connect_refused' }] },
    });
  });

  test('is read page by page, filtered, and followed', async () => {
    const { items, nextCursor, newestSequence } = await page('limit=2');
    expect(items).toHaveLength(2);
    const next = await page(`limit=2&cursor=${nextCursor}`);
    expect(next.items[0]?.sequence).toBeLessThan(items[1]?.sequence ?? 0);
    await expect(page(`limit=2&failed=true&cursor=${nextCursor}`)).rejects.toThrow('cursor_invalid');
    const failed = await page('failed=true&limit=100');
    expect(failed.items.map((each) => each.requestId).toSorted()).toEqual([
      ...['foreign-1', 'refused-1', 'unknown-1'],
    ]);
    expect((await page('role=chat-deep&host=armitage')).items).toEqual([]);
    expect((await page('from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z')).items).toEqual([]);
    await ask('chat-fast', 'followed-1');
    await logged('followed-1');
    const followed = await page(`afterSequence=${newestSequence}&role=chat-fast`);
    expect(followed.items.map((each) => each.requestId)).toEqual(['followed-1']);
  });

  test('adds up by hour and role', async () => {
    const { items } = await fabric.controlPlane.api<{ items: readonly { name: string; ok: number }[] }>(
      '/usage?by=role&per=hour',
    );
    const fast = items.filter(({ name }) => name === 'chat-fast');
    expect(fast.reduce((sum, { ok }) => sum + ok, 0)).toBe(3);
  });

  test('is shown by the command line', async () => {
    const [listed, shown, unknown, used] = await Promise.all([
      run('requests', '--failed', '--json'),
      run('requests', 'show', 'followed-1'),
      run('requests', 'show', 'nobody'),
      run('usage', '--by', 'target', '--per', 'hour'),
    ]);
    expect(JSON.parse(listed.stdout).map((each: Logged) => each.requestId)).toContain('refused-1');
    expect(shown.stdout).toContain('why here: "chat-fast" went to quick on armitage');
    expect(shown.stdout).toContain('why not deep: its host had no link');
    expect(unknown.exitCode).toBe(3);
    expect(used.stdout).toMatch(/quick +\d+/);
    // Four programs start at once.
  }, 60_000);
});

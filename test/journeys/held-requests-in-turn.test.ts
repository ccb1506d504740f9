import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf } from '../harness/raw-http.js';
import { describeThorough } from '../harness/real-part.js';
import { runCli } from '../harness/run-program.js';
import { eventually } from '../simulators/common/eventually.js';

/** What one of them says, so that the engine's record tells whose it was. */
interface Asked {
  readonly says: string;
  readonly model?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stream?: boolean;
  readonly signal?: AbortSignal;
}

describeThorough('who waits for the only slot of a role', { timeout: 60_000 }, () => {
  let fabric: BootedFabric;
  const slots: AbortController[] = [];
  let greedy: string;
  let modest: string;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: {
          engines: {
            only: {
              ...{ maxConcurrent: 1, maxModelLen: 200_000, replyTokens: 100_000 },
              speed: { decodeTokensPerSecond: 400 },
            },
          },
        },
      },
      roles: {
        'chat-fast': { targets: ['only'], patienceSeconds: 600 },
        'chat-nightly': { targets: ['only'], class: 'batch' },
      },
    });
    const createKey = async (name: string): Promise<string> => {
      const key = await fabric.controlPlane.api<{ secret: string }>('/keys', {
        method: 'POST',
        body: { name },
      });
      return key.secret;
    };
    greedy = await createKey('greedy');
    modest = await createKey('modest');
  }, 60_000);
  beforeEach(async () => {
    await eventually('nothing is under way', async () => (await fabric.inFlight('only')) === 0);
    fabric.engine('only').forgetRequests();
  });
  afterEach(() => {
    for (const slot of slots.splice(0)) slot.abort();
  });
  afterAll(() => fabric?.close());

  const ask = ({ says, model = 'chat-fast', secret, headers = {}, stream = false, signal }: Asked) =>
    fabric.chat(
      model,
      { messages: [{ role: 'user', content: says }], max_tokens: 4, stream },
      {
        headers: {
          'content-type': 'application/json',
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
          ...headers,
        },
        ...(signal === undefined ? {} : { signal }),
      },
    );
  const statusOf = async (asked: Asked): Promise<number> => {
    const answer = await ask(asked);
    await answer.text();
    return answer.status;
  };
  const metrics = async (): Promise<string> => (await fetch(`${fabric.controlPlane.url}/metrics`)).text();
  const heldOf = async (requestClass: string): Promise<number> => {
    const line = new RegExp(
      `^ai_fabric_held_requests\\{role="[a-z-]+",class="${requestClass}"\\} (\\d+)$`,
      'gm',
    );
    return [...(await metrics()).matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const untilHeld = (count: number, requestClass = 'normal') =>
    eventually(`${count} of ${requestClass} are held`, async () => (await heldOf(requestClass)) === count);
  /** What was said to the engine, in the order in which it came there. */
  const served = (): string[] =>
    fabric
      .engine('only')
      .inferenceRequests.map(({ bodyText }) => JSON.parse(bodyText) as { messages: { content: string }[] })
      .map(({ messages }) => messages[0]?.content ?? '');
  /** Takes the slot. @returns what gives it back. Its stream is read: one that nobody reads is given up sooner or later */
  const takeSlot = async (): Promise<() => void> => {
    const end = new AbortController();
    slots.push(end);
    const { signal } = end;
    const slot = await fabric.chat(
      'chat-fast',
      { stream: true, max_tokens: 100_000, messages: SLOT },
      { signal },
    );
    slot.text().catch(() => 'given back');
    return () => end.abort();
  };
  const times = <Item>(count: number, of: (index: number) => Item): Item[] =>
    Array.from({ length: count }, (_, index) => of(index));

  test('classes take turns by their weights, by the header or by the role', async () => {
    const giveBack = await takeSlot();
    const nightly = times(6, (index) =>
      statusOf({ says: 'nightly', model: 'chat-nightly', headers: { 'x-request-id': `nightly-${index}` } }),
    );
    await untilHeld(6, 'batch');
    const headers = { 'x-fabric-class': 'interactive' };
    const urgent = times(12, () => statusOf({ says: 'urgent', headers }));
    await untilHeld(12, 'interactive');
    giveBack();
    expect(new Set(await Promise.all([...nightly, ...urgent]))).toEqual(new Set([200]));
    const turns = served().slice(1);
    expect(turns.slice(0, 9)).toEqual([...times(8, () => 'urgent'), 'nightly']);
    expect(turns.slice(9, 13)).toEqual(times(4, () => 'urgent'));
    const show = () => runCli(['requests', 'show', 'nightly-0', '--data', fabric.controlPlane.dataDirectory]);
    await eventually('it is in the log', async () => (await show()).exitCode === 0);
    expect((await show()).stdout).toMatch(/held [\d.]+ s in class batch: only was full/);
  });

  test('a key is as urgent as it may be, whatever it asks, and is told so', async () => {
    const { stdout } = await runCli([
      ...['keys', 'create', 'nightly', '--class', 'batch', '--most-urgent', 'batch', '--json'],
      ...['--data', fabric.controlPlane.dataDirectory],
    ]);
    const { secret, key } = JSON.parse(stdout) as { secret: string; key: unknown };
    expect(key).toMatchObject({ defaultClass: 'batch', mostUrgentClass: 'batch' });
    const giveBack = await takeSlot();
    const headers = { 'x-fabric-class': 'interactive' };
    const pushing = times(2, () => ask({ says: 'pushing', secret, headers }));
    await untilHeld(2, 'batch');
    const silent = ask({ says: 'silent', secret });
    await untilHeld(3, 'batch');
    const patient = times(4, () => statusOf({ says: 'patient' }));
    await untilHeld(4);
    giveBack();
    const answers = await Promise.all([...pushing, silent]);
    expect(answers.map((answer) => answer.headers.get('x-fabric-class'))).toEqual(['batch', 'batch', null]);
    await Promise.all(answers.map((answer) => answer.text()));
    expect(await Promise.all(patient)).toEqual(times(4, () => 200));
    expect(served().slice(1, 5)).toContain('patient');
    expect(
      served()
        .slice(1, 5)
        .filter((said) => said !== 'patient').length,
    ).toBeLessThanOrEqual(1);
  });

  test('a thousand of one key delay the one of another by one turn at most', async () => {
    const giveBack = await takeSlot();
    const hangUp = new AbortController();
    const { signal } = hangUp;
    let refused = 0;
    const thousand = times(1_000, async (index) => {
      const status = await statusOf({ says: `greedy ${index}`, secret: greedy, signal }).catch(() => 'gone');
      if (status === 503) refused += 1;
      return status;
    });
    await eventually(
      'all are there',
      async () => refused === 744 && (await heldOf('normal')) === 256,
      40_000,
    );
    const one = statusOf({ says: 'modest', secret: modest });
    const displaced = /^ai_fabric_displaced_requests_total 1$/m;
    await eventually('it has the place of one of them', async () => displaced.test(await metrics()));
    giveBack();
    expect(await one).toBe(200);
    expect(served().slice(1).indexOf('modest')).toBeLessThanOrEqual(1);
    hangUp.abort();
    expect((await Promise.all(thousand)).filter((status) => status === 503)).toHaveLength(745);
    await untilHeld(0);
  }, 150_000);

  test('a client says how long it waits, and is told its place and when to come again', async () => {
    const giveBack = await takeSlot();
    const waiting = times(3, () => statusOf({ says: 'before', secret: greedy }));
    await untilHeld(3);
    const headers = { 'x-fabric-max-wait': '0', 'x-request-id': 'not-waiting' };
    const atOnce = await ask({ says: 'never', secret: greedy, headers });
    const { code, message } = errorOf(await atOnce.text());
    expect([atOnce.status, code]).toEqual([503, 'no_capacity']);
    expect(message).toMatch(/; it would be number 4 in the queue, about \d+ s from its turn$/);
    expect(atOnce.headers.get('x-fabric-queue-position')).toBe('4');
    const etaMs = Number(atOnce.headers.get('x-fabric-queue-eta-ms'));
    const retryAfter = Number(atOnce.headers.get('retry-after'));
    expect(etaMs).toBeGreaterThan(0);
    expect(retryAfter).toBeGreaterThanOrEqual(Math.min(600, Math.max(1, Math.floor(etaMs / 1_100))));
    expect(retryAfter).toBeLessThanOrEqual(Math.min(600, Math.max(1, Math.ceil((1.1 * etaMs) / 1_000))));

    const briefly = await ask({ says: 'briefly', secret: modest, headers: { 'x-fabric-max-wait': '0.3' } });
    expect(briefly.status).toBe(503);
    expect(errorOf(await briefly.text()).message).toMatch(/; it was number 2 in the queue, about /);
    // What it may wait counts from when it was first looked for, a moment before it was held.
    expect(Number(briefly.headers.get('x-fabric-queue-ms'))).toBeGreaterThanOrEqual(250);
    expect(Number(briefly.headers.get('x-fabric-queue-ms'))).toBeLessThan(10_000);
    giveBack();
    expect(await Promise.all(waiting)).toEqual([200, 200, 200]);
    expect(served()).not.toContain('never');
  });

  test('what makes no sense is refused with what would', async () => {
    for (const [header, value, told] of WRONG) {
      const answer = await ask({ says: 'wrong', headers: { [header]: value } });
      expect(answer.status).toBe(400);
      expect(errorOf(await answer.text()).message).toMatch(told);
    }
  });

  test('who hangs up in the queue gives its place up at once', async () => {
    const giveBack = await takeSlot();
    const hangUp = new AbortController();
    const headers = { 'x-fabric-class': 'batch' };
    const gone = ask({ says: 'gone', headers, signal: hangUp.signal }).catch(() => 'gone');
    await untilHeld(1, 'batch');
    const next = statusOf({ says: 'next' });
    await untilHeld(1);
    hangUp.abort();
    expect(await gone).toBe('gone');
    await untilHeld(0, 'batch');
    giveBack();
    expect(await next).toBe(200);
    expect(served().slice(1)).toEqual(['next']);
  });
});

const SLOT = [{ role: 'user', content: 'takes the slot' }];
const WRONG = [
  ['x-fabric-class', 'urgent', /x-fabric-class is "urgent"; expected one of interactive, normal, batch/],
  ['x-fabric-max-wait', 'soon', /x-fabric-max-wait is "soon"; expected seconds/],
] as const;

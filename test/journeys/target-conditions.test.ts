import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf } from '../harness/raw-http.js';
import { eventually } from '../simulators/common/eventually.js';

const IMAGE = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const withImage = { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, IMAGE] }] };
const TOOL = { type: 'function', function: { name: 'now', parameters: { type: 'object' } } };

/** What became of a request, as its client sees it. */
interface Seen {
  readonly status: number;
  readonly replica: string | null;
  readonly reason: string;
  readonly queueMs: number;
  readonly body: string;
}

describe('the targets of a role', { timeout: 60_000 }, () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: {
          engines: {
            plain: { capabilities: ['tools'], maxModelLen: 2_048 },
            seeing: { capabilities: ['vision'], maxModelLen: 16_384 },
            only: { maxConcurrent: 1 },
          },
        },
        neuromancer: { mayBeAway: true, agent: 'none', engines: { away: {} } },
      },
      cloud: {},
      roles: {
        chat: { targets: ['plain', 'seeing'] },
        lone: { targets: ['only'] },
        kept: {
          targets: [
            { target: 'seeing', when: { capabilities: ['vision'] } },
            { target: 'plain', when: { maxContext: 500 } },
          ],
        },
        hasty: { targets: ['only', { target: 'openai/cheap', when: { whenWaitExceeds: 3 } }] },
        some: { targets: ['plain', 'away', 'openai/cheap'] },
      },
    });
  });
  beforeEach(() => fabric.cloud.simulator.forgetRequests());
  afterEach(() => fabric.engine('only').fault({ kind: 'none' }));
  afterAll(() => fabric?.close());

  const ask = async (
    model: string,
    more: object = {},
    headers: Record<string, string> = {},
  ): Promise<Seen> => {
    const answer = await fabric.chat(model, { max_tokens: 4, ...more }, { headers });
    return {
      status: answer.status,
      replica: answer.headers.get('x-fabric-replica'),
      reason: answer.headers.get('x-fabric-reason') ?? '',
      queueMs: Number(answer.headers.get('x-fabric-queue-ms') ?? 0),
      body: await answer.text(),
    };
  };
  const servedBy = async (...args: Parameters<typeof ask>): Promise<string | null> => {
    const seen = await ask(...args);
    expect(seen.status, seen.body).toBe(200);
    return seen.replica;
  };
  const words = (count: number) => ({ messages: [{ role: 'user', content: 'word '.repeat(count) }] });

  test('that can see get what has images, those that can call get what has tools', async () => {
    for (let time = 0; time < 4; time += 1) {
      expect(await servedBy('chat', withImage)).toBe('seeing');
      expect(await servedBy('chat', { tools: [TOOL], tool_choice: 'none' })).toBe('plain');
    }
    const neither = await ask('chat', { ...withImage, tools: [TOOL] });
    expect([neither.status, errorOf(neither.body).code]).toEqual([400, 'lacks_capability']);
    expect(errorOf(neither.body).message).toContain('plain: is not declared to do vision');
    expect(neither.reason).toBe('lacks_capability; plain=lacks_capability, seeing=lacks_capability');
  });

  test('with more room get the long prompts', async () => {
    fabric.engine('plain').forgetRequests();
    for (let time = 0; time < 4; time += 1) expect(await servedBy('chat', words(3_000))).toBe('seeing');
    expect(fabric.engine('plain').inferenceRequests).toHaveLength(0);
    const tooLong = await ask('chat', words(150_000));
    expect([tooLong.status, errorOf(tooLong.body).code]).toEqual([400, 'context_length_exceeded']);
    expect(errorOf(tooLong.body).message).toContain('seeing is the longest with 16384 tokens');
  });

  test('are kept for the requests that they are meant for', async () => {
    expect(await servedBy('kept', withImage)).toBe('seeing');
    expect(await servedBy('kept', words(50))).toBe('plain');
    const other = await ask('kept', words(700));
    expect([other.status, errorOf(other.body).code]).toEqual([400, 'condition_unmet']);
    expect(other.reason).toBe('condition_unmet; seeing=condition_capability, plain=condition_context');
  });

  test('that are asked after a wait are asked when that is over, and not before', async () => {
    // The first request of an engine that has just come up is expected to take some seconds.
    for (let time = 0; time < 3; time += 1) expect(await servedBy('lone')).toBe('only');
    expect(await servedBy('hasty')).toBe('only');
    expect(fabric.cloud.simulator.requests).toHaveLength(0);

    await fabric.engine('only').fault({ kind: 'never' });
    const hangUp = new AbortController();
    const hanging = fabric.chat('lone', {}, { signal: hangUp.signal }).catch(() => 'gone');
    await eventually('its one slot is taken', async () => (await fabric.inFlight('only')) === 1);
    const seen = await ask('hasty');
    expect(seen).toMatchObject({ status: 200, replica: 'openai/cheap', reason: 'wait_exceeded' });
    // What a slot is held for is next to nothing, as far as was seen: it is waited for until the time itself is over.
    expect(seen.queueMs).toBeGreaterThan(900);
    expect(seen.queueMs).toBeLessThan(6_000);
    hangUp.abort();
    expect(await hanging).toBe('gone');
  });

  test('can be asked for one by one, and then nobody stands in', async () => {
    const target = (name: string) => ({ 'x-fabric-target': name });
    for (const name of ['plain', 'openai/cheap']) {
      const seen = await ask('some', {}, target(name));
      expect(seen).toMatchObject({ status: 200, replica: name, reason: 'asked_by_name' });
    }
    const away = await ask('some', {}, target('away'));
    expect([away.status, errorOf(away.body).code]).toEqual([503, 'host_away']);
    expect(away.reason).toBe(
      'host_away; plain=not_that_target, away=host_away, openai/cheap=not_that_target',
    );
    const wrong = await ask('some', {}, target('plian'));
    expect([wrong.status, errorOf(wrong.body).code]).toEqual([400, 'unknown_target']);
    expect(errorOf(wrong.body).message).toContain('Nearest: plain.');
    // Of a deployment that is asked for by its own name there is but that one.
    expect(await servedBy('seeing', {}, target('seeing'))).toBe('seeing');
    expect((await ask('seeing', {}, target('plain'))).status).toBe(400);
    const local = await ask('some', {}, { ...target('openai/cheap'), 'x-fabric-local-only': 'true' });
    expect([local.status, errorOf(local.body).code]).toEqual([503, 'local_only']);
  });
});

describe('an engine whose own queue is full', { timeout: 60_000 }, () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    const engines = {
      tight: { engineSlots: 1, maxQueuedRequests: 0, maxConcurrent: 16 },
      roomy: { maxConcurrent: 16 },
    };
    fabric = await BootedFabric.boot({
      hosts: { armitage: { engines } },
      roles: { chat: { targets: ['tight', 'roomy'] } },
    });
    // Both have just come up, and are given more only as they answer.
    for (let count = 0; count < 5; count += 1) {
      for (const name of Object.keys(engines)) await (await fabric.chat(name)).text();
    }
  });
  afterAll(() => fabric?.close());

  test('passes its requests on at once, and counts as none that fails', async () => {
    for (const name of ['tight', 'roomy'])
      await fabric.engine(name).fault({ kind: 'slow', tokenDelayMs: 30 });
    const reasons: string[] = [];
    await eventually('it refused some', async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => fabric.chat('chat', { max_tokens: 8 })),
      );
      for (const answer of answers) {
        expect(answer.status).toBe(200);
        reasons.push(answer.headers.get('x-fabric-reason') ?? '');
        await answer.text();
      }
      return reasons.filter((reason) => reason.includes('tight=status_503')).length >= 4;
    });
    const metrics = await (await fetch(`${fabric.controlPlane.url}/metrics`)).text();
    expect(metrics).toContain('ai_fabric_target_breaker_open{target="tight",kind="deployment"} 0');
    for (const name of ['tight', 'roomy']) await fabric.engine(name).fault({ kind: 'none' });
    const seen = await fabric.chat('tight');
    expect([seen.status, seen.headers.get('x-fabric-attempts')]).toEqual([200, '1']);
  });
});

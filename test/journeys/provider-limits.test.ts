import { afterEach, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';
import { errorOf } from '../harness/raw-http.js';
import { eventually } from '../simulators/common/eventually.js';

describe('a provider with limits', { timeout: 60_000 }, () => {
  let fabric: BootedFabric;
  afterEach(() => fabric?.close());

  const boot = async (cloud: object): Promise<void> => {
    fabric = await BootedFabric.boot({
      cloud,
      roles: { 'chat-cloud': { targets: ['openai/cheap'] }, 'chat-deep': { targets: ['openai/strong'] } },
    });
  };
  const ask = async (
    model = 'chat-cloud',
  ): Promise<{ status: number; wait: number; body: string; reason: string }> => {
    const answer = await fabric.chat(model);
    return {
      status: answer.status,
      wait: Number(answer.headers.get('retry-after') ?? 0),
      reason: answer.headers.get('x-fabric-reason') ?? '',
      body: await answer.text(),
    };
  };

  test('is never asked for more than it has left, whoever asks, nor before its reset', async () => {
    const limitWindowMs = 2_000;
    await boot({ requestsPerMinute: 2, limitWindowMs });
    let served = 0;
    let refused = 0;
    // Its answers tell what is left: the first is awaited, as none has told anything yet.
    expect((await ask()).status).toBe(200);
    served += 1;
    await eventually('two windows have passed', async () => {
      const answers = await Promise.all([ask(), ask(), ask()]);
      for (const { status, body } of answers) {
        if (status === 200) served += 1;
        else {
          expect([status, errorOf(body).code]).toEqual([429, 'rate_limit_exceeded']);
          refused += 1;
        }
      }
      return served > 4;
    });
    expect(refused).toBeGreaterThan(0);
    // A 429 of its own would be a request that was asked in vain.
    expect(fabric.cloud.simulator.requests).toHaveLength(served);
  });

  test('that says when to come again is left alone until then, and its refusals say so', async () => {
    await boot({});
    fabric.cloud.simulator.fault({ kind: 'rateLimited', retryAfterSeconds: 2, times: 1 });
    expect(await ask()).toMatchObject({ status: 429, wait: 2 });
    const refusedAtMs = fabric.cloud.simulator.requests.at(-1)?.atMs ?? Number.NaN;
    const told = await ask();
    expect(told).toMatchObject({ status: 429, reason: 'rate_limited; openai/cheap=rate_limited' });
    expect(told.wait).toBeGreaterThanOrEqual(1);
    expect(errorOf(told.body).message).toMatch(/provider openai limits its rate; asked again in [12] s/);
    // Its other model has limits of its own.
    expect((await ask('chat-deep')).status).toBe(200);
    fabric.cloud.simulator.forgetRequests();
    await eventually('it answers again', async () => (await ask()).status === 200);
    const [next] = fabric.cloud.simulator.requests;
    expect(next?.atMs).toBeGreaterThanOrEqual(refusedAtMs + 2_000);
  });

  test('whose quota is used up is not asked again for minutes', async () => {
    await boot({});
    fabric.cloud.simulator.fault({ kind: 'quotaExceeded', times: 1 });
    expect((await ask()).status).toBe(429);
    const told = await ask();
    expect(told.status).toBe(429);
    expect(told.wait).toBeGreaterThan(290);
    expect(errorOf(told.body).message).toContain('the quota of its account is used up');
    expect(fabric.cloud.simulator.requests).toHaveLength(1);
  });
});

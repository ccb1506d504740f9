import { describe, expect, it } from 'vitest';
import { type PastWake, readyTimes, unparkTimes, usualTimes } from './usual-times.js';

const wake = (agentMs: number, readyMs: number): PastWake => ({
  phases: { packet_sent: 1, agent_back: agentMs, model_ready: readyMs },
  readyAt: { deep: readyMs },
});

describe('what is usual', () => {
  it('is the median and the 95th of what was seen, by phase and deployment', () => {
    const wakes = Array.from({ length: 20 }, (_, index) => wake((index + 1) * 1_000, (index + 1) * 2_000));
    const usual = usualTimes(wakes);
    expect(usual.phases.agent_back).toEqual({ p50Ms: 10_000, p95Ms: 19_000, count: 20 });
    expect(usual.ready['deep']).toEqual({ p50Ms: 20_000, p95Ms: 38_000, count: 20 });
    expect(usual.phases.answers).toBeUndefined();
  });

  it('is what was seen once, after one wake, and nothing before it', () => {
    expect(usualTimes([wake(30_000, 48_000)]).ready['deep']).toEqual({
      p50Ms: 48_000,
      p95Ms: 48_000,
      count: 1,
    });
    expect(usualTimes([])).toEqual({
      ...{ phases: {}, ready: {} },
      told: { packetToAgent: null, deployments: {} },
    });
  });

  it('counts wakes that did not concern a deployment for it not', () => {
    const other: PastWake = { phases: { agent_back: 5_000 }, readyAt: { fast: 9_000 } };
    expect(usualTimes([wake(30_000, 48_000), other]).ready['deep']?.count).toBe(1);
  });
});

describe('what people are told of wakes', () => {
  it('is how long each stretch took, in the middle and at its slowest', () => {
    const wakes = Array.from({ length: 20 }, (_, index) => wake((index + 1) * 1_000, (index + 1) * 3_000));
    expect(usualTimes(wakes).told).toEqual({
      packetToAgent: { p50: 10, p95: 19, wakes: 20 },
      deployments: {
        deep: {
          agentToReady: { p50: 20, p95: 38, wakes: 20 },
          total: { p50: 30, p95: 57, wakes: 20 },
        },
      },
    });
  });

  it('is nothing of a stretch that was not seen', () => {
    const unseen: PastWake = { phases: {}, readyAt: { deep: 12_340 } };
    expect(usualTimes([unseen]).told).toEqual({
      packetToAgent: null,
      deployments: { deep: { agentToReady: null, total: { p50: 12.3, p95: 12.3, wakes: 1 } } },
    });
  });
});

describe('the time to a ready model', () => {
  const facts = { usual: usualTimes([]), deployment: 'deep', isCached: null, usualLoadSeconds: null };
  it.each([
    [{}, 135],
    [{ isCached: true }, 135],
    [{ isCached: false }, 1_035],
    [{ usualLoadSeconds: 20 }, 65],
    [{ usual: usualTimes([wake(30_000, 48_400)]) }, 48.4],
    [{ usual: usualTimes([wake(30_000, 48_400)]), usualLoadSeconds: 20 }, 48.4],
    [{ usual: usualTimes([wake(30_000, 48_400)]), isCached: false }, 948.4],
    [{ usual: usualTimes([wake(30_000, 48_000)]), deployment: 'other' }, 120],
  ])('is as usual, or guessed from what is known: %j', (more, seconds) => {
    expect(readyTimes({ ...facts, ...more }).p50Ms).toBe(seconds * 1000);
  });

  it('is told by its slowest too', () => {
    const wakes = Array.from({ length: 20 }, (_, index) => wake(1_000, (index + 1) * 1_000));
    const usual = usualTimes(wakes);
    expect(readyTimes({ ...facts, usual })).toMatchObject({ p50Ms: 10_000, p95Ms: 19_000 });
    expect(unparkTimes(usual, 'deep')).toMatchObject({ p50Ms: 10_000, p95Ms: 19_000 });
    expect(unparkTimes(usual, 'other')).toEqual({ p50Ms: 15_000, p95Ms: 15_000 });
  });
});

import { describe, expect, it } from 'vitest';
import { type FinishedRequest, GatewayMetrics, LATENCY_BOUNDS_SECONDS } from './gateway-metrics.js';

const FINISHED: FinishedRequest = {
  role: 'chat-fast',
  target: 'motoko-chat',
  outcome: 'ok',
  attempts: 1,
  durationSeconds: 0.3,
  ttftSeconds: 0.02,
  promptTokens: 10,
  completionTokens: 5,
  cachedTokens: null,
};

describe('GatewayMetrics', () => {
  it('counts requests, tokens and times of each route', () => {
    const metrics = new GatewayMetrics();
    metrics.requestFinished(FINISHED);
    metrics.requestFinished({
      ...FINISHED,
      outcome: 'client_gone',
      attempts: 3,
      durationSeconds: 9_999,
      ttftSeconds: null,
    });

    const [route] = [...metrics.routes];
    expect(route).toMatchObject({
      role: 'chat-fast',
      target: 'motoko-chat',
      requests: { ok: 1, client_gone: 1, failed: 0 },
      promptTokens: 20,
      completionTokens: 10,
      cachedTokens: 0,
      ttft: { count: 1, sum: 0.02 },
      duration: { count: 2, sum: 9_999.3 },
    });
    expect(route?.duration.counts[LATENCY_BOUNDS_SECONDS.indexOf(0.5)]).toBe(1);
    expect(route?.duration.counts.at(-1)).toBe(1);
    expect(route?.ttft.counts[LATENCY_BOUNDS_SECONDS.indexOf(0.025)]).toBe(1);
    expect(metrics.retriesTotal).toBe(2);
  });

  it('keeps a bounded number of series, and loses no count', () => {
    const metrics = new GatewayMetrics();
    for (let index = 0; index < 3_000; index++) {
      metrics.requestFinished({ ...FINISHED, target: `target-${index}` });
      metrics.attemptFailed(`target-${index}`, 'reset');
    }
    const routes = [...metrics.routes];
    const failures = [...metrics.failures];
    expect(routes.length).toBeLessThan(1_010);
    expect(failures.length).toBeLessThan(1_010);
    expect(routes.reduce((sum, route) => sum + route.requests.ok, 0)).toBe(3_000);
    expect(failures.reduce((sum, { failures: count }) => sum + count, 0)).toBe(3_000);
    expect(routes.at(-1)).toMatchObject({ role: 'other', target: 'other' });
  });
});

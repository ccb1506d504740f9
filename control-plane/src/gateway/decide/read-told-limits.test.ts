import { describe, expect, it } from 'vitest';
import { readToldLimits, readWait } from './read-told-limits.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('a time to wait', () => {
  it.each<[string, number | null]>([
    ['20', 20_000],
    ['0', 0],
    ['1.5', 1_500],
    ['6m0s', 360_000],
    ['1s', 1_000],
    ['20ms', 20],
    ['8.64s', 8_640],
    ['1h2m3s', 3_723_000],
    ['1m20.5s', 80_500],
    ['2d', 86_400_000],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['2026-03-01T12:01:00Z', 60_000],
    [String(NOW / 1000 + 5), 5_000],
    [String(NOW + 5_000), 5_000],
    ['999999999', 86_400_000],
    ['soon', null],
    ['-5', null],
    ['1s2m', null],
    ['x'.repeat(65), null],
  ])('"%s" is %s ms', (text, waitMs) => {
    const told = readToldLimits(429, { 'retry-after': text }, '', NOW);
    expect(told.retryAfterMs).toBe(waitMs);
  });

  it('that is absent is none', () => {
    expect(readWait(null, NOW)).toBeNull();
    expect(readToldLimits(200, {}, '', NOW)).toEqual({
      ...{ answer: 'answered', retryAfterMs: null, requests: null, tokens: null },
    });
  });

  it('in milliseconds is the more exact one', () => {
    const headers = { 'retry-after': '2', 'retry-after-ms': '1300' };
    expect(readToldLimits(429, headers, '', NOW).retryAfterMs).toBe(1_300);
  });
});

describe('an answer', () => {
  const quota = '{"error":{"code":"insufficient_quota"}}';
  it.each([
    [200, '', 'answered'],
    [400, quota, 'answered'],
    [401, '', 'key_refused'],
    [402, '', 'unpaid'],
    [403, '', 'answered'],
    [429, '', 'limited'],
    [429, quota, 'out_of_quota'],
    [500, '', 'answered'],
    [503, '', 'limited'],
    [529, '', 'limited'],
  ])('with %i and "%s" is %s', (status, text, answer) => {
    expect(readToldLimits(status, {}, text, NOW).answer).toBe(answer);
  });
});

describe('what is left', () => {
  it("is read of OpenAI's headers", () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(readToldLimits(200, headers, '', NOW)).toMatchObject({
      requests: { left: 59, limit: 60, resetMs: 1_000 },
      tokens: { left: 149_984, limit: 150_000, resetMs: 360_000 },
    });
  });

  it("is read of Anthropic's headers, of whose token limits the tighter counts", () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:20Z',
      'anthropic-ratelimit-tokens-remaining': '90000',
      'anthropic-ratelimit-tokens-reset': '2026-03-01T12:00:10Z',
      'anthropic-ratelimit-input-tokens-remaining': '7000',
      'anthropic-ratelimit-input-tokens-reset': '2026-03-01T12:00:30Z',
    };
    expect(readToldLimits(200, headers, '', NOW)).toMatchObject({
      requests: { left: 0, resetMs: 20_000 },
      tokens: { left: 7_000, resetMs: 30_000 },
    });
  });

  it('of tokens of answers counts where it is nothing, since a prompt has none of them', () => {
    const reset = { 'anthropic-ratelimit-output-tokens-reset': '2026-03-01T12:00:09Z' };
    const left = (count: string) => ({ ...reset, 'anthropic-ratelimit-output-tokens-remaining': count });
    expect(readToldLimits(200, left('20'), '', NOW).tokens).toBeNull();
    expect(readToldLimits(200, left('0'), '', NOW).tokens).toEqual({ left: 0, limit: null, resetMs: 9_000 });
  });

  it('is not known where it is no count', () => {
    const headers = { 'x-ratelimit-remaining-requests': 'many', 'x-ratelimit-remaining-tokens': ['1', '2'] };
    expect(readToldLimits(200, headers, '', NOW)).toMatchObject({ requests: null, tokens: null });
  });

  it('without a reset has none', () => {
    const headers = { 'x-ratelimit-remaining-requests': '3' };
    expect(readToldLimits(200, headers, '', NOW).requests).toEqual({ left: 3, limit: null, resetMs: null });
  });
});

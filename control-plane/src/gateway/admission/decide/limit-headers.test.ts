import { describe, expect, it } from 'vitest';
import { describeLimit } from './describe-limit.js';
import { estimateTokens } from './estimate-tokens.js';
import { formatSpan, limitHeaders } from './limit-headers.js';
import { settleUse } from './settle-use.js';

describe('what a client is told of its limits', () => {
  it.each([
    [0, '0s'],
    [119.2, '120ms'],
    [999.5, '1s'],
    [8_640, '8.64s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_723_000, '1h2m3s'],
  ])('%d ms are %s, as OpenAI writes them', (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });

  it('has the six headers, and none of a limit that is not there', () => {
    expect(limitHeaders({ limit: 60, remaining: 59, resetMs: 1_000 }, null)).toEqual([
      'x-ratelimit-limit-requests',
      '60',
      'x-ratelimit-remaining-requests',
      '59',
      'x-ratelimit-reset-requests',
      '1s',
    ]);
    expect(limitHeaders(null, { limit: 5, remaining: 0, resetMs: 90_000 }).join(' ')).toBe(
      'x-ratelimit-limit-tokens 5 x-ratelimit-remaining-tokens 0 x-ratelimit-reset-tokens 1m30s',
    );
  });

  it('is named the limit, and when to come again', () => {
    const told = describeLimit('ci', { limit: 'tokens_per_minute', allowed: 100, retryAfterMs: 1_500 });
    expect(told).toMatchObject({
      error: { code: 'rate_limit_exceeded', message: expect.stringContaining('tokens_per_minute') },
      retryAfterSeconds: 2,
      reason: 'tokens_per_minute',
    });
    expect(told.error.message).toContain('in 1.5s');
    const never = describeLimit('ci', { limit: 'requests_per_minute', allowed: 0, retryAfterMs: null });
    expect(never).toMatchObject({ error: { code: 'limit_is_zero' }, retryAfterSeconds: null });
  });
});

describe('the tokens of a request', () => {
  const facts = { estimatedPromptTokens: 100, maxTokens: 50, hasAnswerText: true };

  it('are thought to be its prompt and what its answer may have, within reason', () => {
    expect(estimateTokens(facts)).toBe(150);
    expect(estimateTokens({ ...facts, maxTokens: 10_000_000 })).toBe(4_196);
    expect(estimateTokens({ ...facts, maxTokens: null })).toBe(1_124);
    expect(estimateTokens({ ...facts, hasAnswerText: false })).toBe(100);
    expect(estimateTokens({ ...facts, estimatedPromptTokens: null, hasAnswerText: false })).toBe(2_048);
  });

  it('are settled with the engine’s count, and given back where nothing was served', () => {
    const usage = { promptTokens: 10, completionTokens: 5, cachedTokens: null };
    expect(settleUse('ok', 1, usage)).toEqual({ kind: 'settle', usedTokens: 15 });
    expect(settleUse('ok', 1, null)).toEqual({ kind: 'settle', usedTokens: null });
    expect(settleUse('refused', 0, null)).toEqual({ kind: 'giveBack' });
    expect(settleUse('failed', 3, null)).toEqual({ kind: 'giveBack' });
    expect(settleUse('client_error', 0, null)).toEqual({ kind: 'giveBack' });
    expect(settleUse('client_error', 1, null)).toEqual({ kind: 'settle', usedTokens: 0 });
    expect(settleUse('client_gone', 0, null)).toEqual({ kind: 'giveBack' });
    expect(settleUse('interrupted', 1, null)).toEqual({ kind: 'settle', usedTokens: null });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyLimits } from '../../../registry/key-types.js';
import { type KeyUse, readLimits, stepKeyUse, UNUSED } from './step-key-use.js';

const NONE: KeyLimits = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null };
const limits = (some: Partial<KeyLimits>): KeyLimits => ({ ...NONE, ...some });

/** Asks again and again. @returns how often it was let in, and the refusal that ended it */
function askUntilRefused(use: KeyUse, of: KeyLimits, tokens: number, nowMs: number) {
  let count = 0;
  for (let step = stepKeyUse(use, { kind: 'asked', tokens }, of, nowMs); ; ) {
    if (step.refusal !== null) return { count, use: step.use, refusal: step.refusal };
    count++;
    step = stepKeyUse(step.use, { kind: 'asked', tokens }, of, nowMs);
  }
}

describe('the use of a key', () => {
  it('lets in what the limit allows, and says when the next may come', () => {
    const of = limits({ requestsPerMinute: 6 });
    const { count, use, refusal } = askUntilRefused(UNUSED, of, 10, 0);
    expect(count).toBe(6);
    expect(refusal).toEqual({ limit: 'requests_per_minute', allowed: 6, retryAfterMs: 10_000 });
    expect(askUntilRefused(use, of, 10, 9_999).count).toBe(0);
    expect(askUntilRefused(use, of, 10, 10_000).count).toBe(1);
    expect(askUntilRefused(use, of, 10, 60_000).count).toBe(6);
  });

  it('counts tokens as estimated until they are settled by what was used in truth', () => {
    const of = limits({ tokensPerMinute: 1_000 });
    const asked = stepKeyUse(UNUSED, { kind: 'asked', tokens: 900 }, of, 0).use;
    expect(stepKeyUse(asked, { kind: 'asked', tokens: 200 }, of, 0).refusal).toEqual({
      limit: 'tokens_per_minute',
      allowed: 1_000,
      retryAfterMs: 6_000,
    });
    const settled = stepKeyUse(asked, { kind: 'settled', tokens: 900, usedTokens: 100 }, of, 0).use;
    expect(readLimits(settled, of, 0).tokens).toEqual({ limit: 1_000, remaining: 900, resetMs: 6_000 });
    const unknown = stepKeyUse(asked, { kind: 'settled', tokens: 900, usedTokens: null }, of, 0).use;
    expect(readLimits(unknown, of, 0).tokens?.remaining).toBe(100);
  });

  it('works off what an answer took beyond its estimate before it lets in more', () => {
    const of = limits({ tokensPerMinute: 1_000 });
    const asked = stepKeyUse(UNUSED, { kind: 'asked', tokens: 500 }, of, 0).use;
    const over = stepKeyUse(asked, { kind: 'settled', tokens: 500, usedTokens: 2_000 }, of, 0).use;
    expect(readLimits(over, of, 0).tokens).toEqual({ limit: 1_000, remaining: 0, resetMs: 120_000 });
    expect(stepKeyUse(over, { kind: 'asked', tokens: 10 }, of, 60_000).refusal?.retryAfterMs).toBe(600);
  });

  it('lets in one request that alone is more than the limit, when nothing else was used', () => {
    const of = limits({ tokensPerMinute: 100 });
    const { count, refusal } = askUntilRefused(UNUSED, of, 5_000, 0);
    expect([count, refusal.limit]).toEqual([1, 'tokens_per_minute']);
  });

  it('holds as many at once as allowed, and takes the next when one has ended', () => {
    const of = limits({ concurrentRequests: 2 });
    const { count, use, refusal } = askUntilRefused(UNUSED, of, 10, 0);
    expect([count, refusal]).toEqual([2, { limit: 'concurrent_requests', allowed: 2, retryAfterMs: null }]);
    const ended = stepKeyUse(use, { kind: 'settled', tokens: 10, usedTokens: 5 }, of, 0).use;
    expect(askUntilRefused(ended, of, 10, 0).count).toBe(1);
  });

  it.each([{ requestsPerMinute: 0 }, { tokensPerMinute: 0 }, { concurrentRequests: 0 }])(
    'with %j lets nothing in, ever, and divides by nothing',
    (zero) => {
      const of = limits(zero);
      const step = stepKeyUse(UNUSED, { kind: 'asked', tokens: 0 }, of, 1_000);
      expect(step.refusal).toMatchObject({ allowed: 0, retryAfterMs: null });
      const { requests, tokens } = readLimits(step.use, of, 2_000);
      for (const state of [requests, tokens])
        if (state) expect(state).toMatchObject({ remaining: 0, resetMs: 0 });
    },
  );

  it('never lets more than two limits through in any minute, and is as new when all was given back', () => {
    const event = fc.record({ gapMs: fc.nat(20_000), tokens: fc.nat(400), giveBack: fc.boolean() });
    const of = limits({ requestsPerMinute: 10, tokensPerMinute: 1_000 });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let use = UNUSED;
        let nowMs = 0;
        const taken: { atMs: number; tokens: number }[] = [];
        for (const { gapMs, tokens, giveBack } of events) {
          nowMs += gapMs;
          const step = stepKeyUse(use, { kind: 'asked', tokens }, of, nowMs);
          use = step.use;
          if (step.refusal !== null) continue;
          if (giveBack) use = stepKeyUse(use, { kind: 'givenBack', tokens }, of, nowMs).use;
          else taken.push({ atMs: nowMs, tokens });
        }
        for (const { atMs } of taken) {
          const minute = taken.filter((each) => each.atMs >= atMs && each.atMs < atMs + 60_000);
          expect(minute.length).toBeLessThanOrEqual(20);
          expect(minute.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(2_000);
        }
        if (taken.length === 0) expect(use).toMatchObject({ requests: 0, tokens: 0, inflight: 0 });
      }),
      { numRuns: 50 },
    );
  });
});

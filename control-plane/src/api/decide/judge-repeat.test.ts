import { describe, expect, test } from 'vitest';
import { judgeRepeat, type RepeatFacts } from './judge-repeat.js';

const earlier = { fingerprint: 'f', requestId: 'r-1', atMs: 1, status: 204, contentType: null, body: '' };

describe('a write with an idempotency key', () => {
  test.each<[string, Partial<RepeatFacts>, string]>([
    ['that is new', {}, 'first'],
    ['that was answered', { earlier }, 'replay'],
    ['of a request under way', { inFlight: 'f' }, 'in_flight'],
    ['of another request under way', { inFlight: 'g' }, 'idempotency_key_reused'],
    ['of another request', { earlier: { ...earlier, fingerprint: 'g' } }, 'idempotency_key_reused'],
    ['that nobody lived to answer', { earlier: { ...earlier, status: null, body: null } }, 'outcome_unknown'],
    ['whose answer held a secret', { earlier: { ...earlier, body: null } }, 'answer_not_kept'],
  ])('%s', (_, facts, expected) => {
    const repeat = judgeRepeat({ fingerprint: 'f', inFlight: null, earlier: null, ...facts });
    expect(repeat.kind === 'refuse' ? repeat.code : repeat.kind).toBe(expected);
  });
});

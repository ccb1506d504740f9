import { describe, expect, it } from 'vitest';
import { describeOutlook, withOutlook } from './describe-outlook.js';
import type { Refusal } from './describe-refusal.js';
import { gatewayError } from './error-table.js';

const full: Refusal = {
  error: gatewayError(
    'no_capacity',
    'Everything that serves "chat-fast" is full (1 attempt). Come again in 3 s.',
  ),
  retryAfterSeconds: 3,
  reason: 'no_capacity',
};

describe('how a request stands in the queue', () => {
  it.each([
    [1, null, 'next in the queue'],
    [1, 200, 'next in the queue, about 1 s'],
    [4, 9_400, '3 ahead, about 9 s'],
    [2, null, '1 ahead'],
  ])('number %i with %s ms: %s', (position, etaMs, told) => {
    expect(describeOutlook({ position, etaMs, retryAfterSeconds: null })).toBe(told);
  });

  it.each([
    [
      { position: 12, etaMs: 60_000, retryAfterSeconds: 58 },
      false,
      'would be number 12 in the queue, about 60 s from its turn',
    ],
    [{ position: 2, etaMs: null, retryAfterSeconds: null }, true, 'was number 2 in the queue'],
  ])('stands in a refusal: %j', (outlook, wasHeld, told) => {
    const refusal = withOutlook(full, outlook, wasHeld);
    expect(refusal).toMatchObject({ retryAfterSeconds: 3, reason: 'no_capacity', outlook });
    expect(refusal.error.message.endsWith(`(1 attempt). Come again in 3 s; it ${told}`)).toBe(true);
  });

  it('is not told with what no waiting mends', () => {
    const wrong: Refusal = { ...full, error: gatewayError('wrong_task', 'it cannot do this task') };
    expect(withOutlook(wrong, { position: 1, etaMs: 1, retryAfterSeconds: 1 }, true)).toBe(wrong);
  });
});

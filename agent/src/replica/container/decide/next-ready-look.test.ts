import { describe, expect, it } from 'vitest';
import { nextReadyLookMs } from './next-ready-look.js';

describe('the next look at a ready replica', () => {
  it('is at the same moment for all, whenever they were looked at last', () => {
    expect([18_000, 18_003, 20_500, 22_399].map(nextReadyLookMs)).toEqual([22_500, 22_500, 22_500, 22_500]);
  });

  it('is one period after one that came at its moment, a little early or a little late', () => {
    expect([22_450, 22_499.6, 22_500, 22_540].map(nextReadyLookMs)).toEqual([27_000, 27_000, 27_000, 27_000]);
  });

  it('is never now, nor later than 4.6 s', () => {
    for (let nowMs = 0; nowMs < 20_000; nowMs += 7) {
      const inMs = nextReadyLookMs(nowMs) - nowMs;
      expect(inMs).toBeGreaterThan(100);
      expect(inMs).toBeLessThanOrEqual(4_600);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { untilReadyMs } from './until-ready.js';

describe('what is left of a wake', () => {
  const expected = { usuallyAtMs: 48_000, latestAtMs: 60_000 };
  it.each([
    ['by what is usual', 0, 48_000],
    ['to the last of it', 47_999, 1],
    ['then by the slowest of those before', 48_000, 12_000],
    ['to the last of that', 59_999, 1],
    ['then as long again as it is late', 60_000, 12_000],
    ['and longer the later it is', 120_000, 72_000],
    ['within bounds', 10_000_000, 300_000],
  ])('is told %s', (_, nowMs, leftMs) => {
    expect(untilReadyMs(expected, nowMs)).toBe(leftMs);
  });

  it('is never nothing where it was always as fast', () => {
    expect(untilReadyMs({ usuallyAtMs: 48_000, latestAtMs: 48_000 }, 48_001)).toBe(10_000);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTickMs } from './next-tick.js';

describe('the next sample', () => {
  it.each([
    ['a cadence after this one where there is no card', null, 12_000],
    ['just after the row that is to come', 9_900, 11_905],
    ['just after a later row rather than much too early', 9_000, 13_005],
    ['a cadence after this one when rows have ceased', 5_000, 12_000],
  ])('is %s', (_, rowAtMs, expected) => {
    expect(nextTickMs({ startedMs: 10_000, cadenceMs: 2_000, rowAtMs })).toBe(expected);
  });

  it('comes never much too early or late, and stays in step once it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 60_000 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (cadenceMs, startedMs, ago) => {
          const rowAtMs = startedMs - ago * cadenceMs;
          const next = nextTickMs({ startedMs, cadenceMs, rowAtMs });
          expect(next - startedMs).toBeGreaterThanOrEqual(0.75 * cadenceMs - 0.001);
          expect(next - startedMs).toBeLessThan(1.75 * cadenceMs + 0.001);
          const after = nextTickMs({ startedMs: next, cadenceMs, rowAtMs: next - 5 });
          expect(after - next).toBeCloseTo(cadenceMs, 3);
        },
      ),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateExternalLoad, externalLoadAt } from './estimate-external-load.js';

const settings = { gaugeLagMs: 6_000, halfLifeMs: 4_000 };
const steady = (own: number) => ({ least: own, most: own });
const estimate = (
  previous: { requests: number; atMs: number } | null,
  reported: number | null,
  own: { least: number; most: number } | null,
  atMs = 10_000,
) => estimateExternalLoad(previous, reported, own, atMs, settings);

describe('the load that others put on an engine', () => {
  it.each([
    { reported: 0, own: 0, expected: 0 },
    { reported: 3, own: 0, expected: 3 },
    { reported: 3, own: 3, expected: 0 },
    { reported: 5, own: 3, expected: 2 },
    { reported: 1, own: 3, expected: 0 },
    { reported: 0, own: 8, expected: 0 },
  ])('is $expected when the engine reports $reported and we have held $own all along', (row) => {
    expect(estimate(null, row.reported, steady(row.own))).toEqual({ requests: row.expected, atMs: 10_000 });
  });

  it('is not believed in while some moment of the window would explain the gauge by our own requests', () => {
    expect(estimate(null, 4, { least: 0, most: 4 })?.requests).toBe(0);
    expect(estimate(null, 4, { least: 0, most: 7 })?.requests).toBe(0);
  });

  it('is only what our own requests cannot explain', () => {
    expect(estimate(null, 6, { least: 1, most: 4 })?.requests).toBe(2);
  });

  it('is kept from earlier while our own count moves and the earlier estimate is still possible', () => {
    const kept = estimate({ requests: 2, atMs: 10_000 }, 4, { least: 0, most: 4 }, 10_000);
    expect(kept?.requests).toBe(2);
  });

  it('fades while nothing confirms it', () => {
    const faded = estimate({ requests: 2, atMs: 6_000 }, 4, { least: 0, most: 4 }, 10_000);
    expect(faded?.requests).toBeCloseTo(1);
  });

  it('is corrected downwards at once when the gauge rules it out', () => {
    expect(estimate({ requests: 9, atMs: 10_000 }, 5, steady(3))?.requests).toBe(2);
    expect(estimate({ requests: 9, atMs: 10_000 }, 0, steady(0))?.requests).toBe(0);
  });

  it('is corrected upwards at once when the gauge demands it', () => {
    expect(estimate({ requests: 1, atMs: 10_000 }, 9, { least: 2, most: 3 })?.requests).toBe(6);
  });

  it('does not echo a burst of our own that has ended, as long as the window remembers it', () => {
    // Four of ours, all done; the gauge still tells of them.
    expect(estimate(null, 4, { least: 0, most: 4 })?.requests).toBe(0);
  });

  it('stays unknown when the engine does not tell', () => {
    expect(estimate(null, null, steady(2))).toBeNull();
  });

  it('keeps what it knew when a reading tells nothing, or tells of a time that we no longer remember', () => {
    const before = { requests: 3, atMs: 9_000 };
    expect(estimate(before, null, steady(0))).toBe(before);
    expect(estimate(before, 8, null)).toBe(before);
  });

  it('is not changed by a reading older than the one before', () => {
    const before = { requests: 3, atMs: 9_000 };
    expect(estimate(before, 50, steady(0), 8_000)).toBe(before);
  });

  it.each([
    { afterMs: 0, expected: 8 },
    { afterMs: 4_000, expected: 4 },
    { afterMs: 8_000, expected: 2 },
    { afterMs: 40_000, expected: 8 / 1024 },
    { afterMs: -1_000, expected: 8 },
  ])('of 8 counts as $expected after $afterMs ms', ({ afterMs, expected }) => {
    expect(externalLoadAt({ requests: 8, atMs: 1_000 }, 1_000 + afterMs, settings)).toBeCloseTo(expected, 9);
  });

  it('counts as nothing where nothing was ever told', () => {
    expect(externalLoadAt(null, 5_000, settings)).toBe(0);
  });

  it('always lies between what our least and our most leave unexplained', () => {
    const count = fc.nat(200);
    fc.assert(
      fc.property(
        count,
        count,
        count,
        fc.option(
          fc.record({ requests: fc.double({ min: 0, max: 300, noNaN: true }), atMs: fc.nat(20_000) }),
          {
            nil: null,
          },
        ),
        (reported, one, other, previous) => {
          const own = { least: Math.min(one, other), most: Math.max(one, other) };
          const result = estimate(previous, reported, own, 20_000);
          expect(result?.requests).toBeGreaterThanOrEqual(Math.max(0, reported - own.most));
          expect(result?.requests).toBeLessThanOrEqual(Math.max(0, reported - own.least));
          expect(result?.requests).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds a steady outside load however our own count moves, once it stood still for a moment', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(fc.nat(10), { minLength: 1, maxLength: 20 }), (outside, own) => {
        let known = estimate(null, outside + 3, steady(3), 0);
        own.forEach((count, round) => {
          const range = { least: Math.min(0, count), most: Math.max(10, count) };
          known = estimate(known, outside + count, range, (round + 1) * 100);
        });
        // Never more than there is; and what fades of it within two seconds is less than a third.
        expect(known?.requests).toBeLessThanOrEqual(outside + 1e-9);
        expect(known?.requests).toBeGreaterThanOrEqual(outside * 0.7);
      }),
    );
  });
});

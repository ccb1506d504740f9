import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/router-fixtures.js';
import { pickLeastLoaded } from './pick-least-loaded.js';

const settings = { ratio: 0.1, floor: 0.02 };

function shares(loads: readonly number[], rounds = 6_000): number[] {
  const random = seededRandom(7);
  const counts = loads.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    const { index } = pickLeastLoaded(loads, random, settings);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => count / rounds);
}

describe('the choice among loads', () => {
  it.each([
    { loads: [0.5], index: 0, tied: 1 },
    { loads: [0.9, 0.1], index: 1, tied: 1 },
    { loads: [0.1, 0.9], index: 0, tied: 1 },
    { loads: [3, 2, 1, 2], index: 2, tied: 1 },
    { loads: [0.25, 0, 0.25], index: 1, tied: 1 },
    { loads: [1.3, 1, 1.2], index: 1, tied: 1 },
    { loads: [5, 7], index: 0, tied: 1 },
  ])('takes number $index of $loads, which is alone at the best', ({ loads, index, tied }) => {
    for (const draw of [0, 0.5, 0.999_999]) {
      expect(pickLeastLoaded(loads, () => draw, settings)).toEqual({ index, tied });
    }
  });

  it.each([
    { loads: [0, 0, 0], tied: [0, 1, 2] },
    { loads: [1, 1.1, 1.11], tied: [0, 1] },
    { loads: [0.5, 2, 0.54, 0.56], tied: [0, 2] },
    { loads: [0, 0.02, 0.03], tied: [0, 1] },
    { loads: [0.01, 0.025, 0.06], tied: [0, 1] },
    { loads: [2, 1.9, 2.09, 2.1], tied: [0, 1, 2] },
  ])('draws evenly among numbers $tied of $loads', ({ loads, tied }) => {
    const drawn = shares(loads);
    loads.forEach((_, index) => {
      const expected = tied.includes(index) ? 1 / tied.length : 0;
      expect(Math.abs((drawn[index] ?? 0) - expected)).toBeLessThan(expected === 0 ? 1e-9 : 0.03);
    });
  });

  it('sends no one upstream of four equal ones more than its quarter', () => {
    for (const share of shares([0.3, 0.3, 0.3, 0.3])) expect(share).toBeLessThan(0.28);
  });

  it('takes the only one without asking for chance', () => {
    const noChance = (): number => {
      throw new Error('asked');
    };
    expect(pickLeastLoaded([0.4], noChance, settings).index).toBe(0);
    expect(pickLeastLoaded([0.4, 2], noChance, settings).index).toBe(0);
  });

  it('never takes one that is worse than a tenth, or the floor, above the best', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 0.999_999_999, noNaN: true }),
        (loads, draw) => {
          const { index, tied } = pickLeastLoaded(loads, () => draw, settings);
          const best = Math.min(...loads);
          expect(loads[index]).toBeLessThanOrEqual(best + Math.max(0.1 * best, 0.02));
          expect(tied).toBeGreaterThanOrEqual(1);
          expect(tied).toBeLessThanOrEqual(loads.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('can reach every one that is tied', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 1.3, noNaN: true }), { minLength: 1, maxLength: 8 }),
        (loads) => {
          const { tied } = pickLeastLoaded(loads, () => 0, settings);
          const reached = new Set<number>();
          for (let place = 0; place < tied; place += 1) {
            reached.add(pickLeastLoaded(loads, () => (place + 0.5) / tied, settings).index);
          }
          expect(reached.size).toBe(tied);
        },
      ),
    );
  });

  it('refuses to choose from nothing', () => {
    expect(() => pickLeastLoaded([], () => 0, settings)).toThrow(RangeError);
  });
});

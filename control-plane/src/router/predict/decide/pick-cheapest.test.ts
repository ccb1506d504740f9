import { seededRandom } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pickCheapest } from './pick-cheapest.js';

const favour = { ratio: 0.25, floorSeconds: 0.05, mostSeconds: 1 };

const settings = { ratio: 0.1, floorSeconds: 0.02, favour };
const pick = (costs: readonly number[], random = () => 0) =>
  pickCheapest(Float64Array.from(costs), costs.length, -1, random, settings);

describe('the choice among costs', () => {
  it.each([
    { costs: [0.5], index: 0, tied: 1 },
    { costs: [0.9, 0.1], index: 1, tied: 1 },
    { costs: [0.1, 0.9], index: 0, tied: 1 },
    { costs: [3, 2, 1, 2], index: 2, tied: 1 },
    { costs: [0.25, 0, 0.25], index: 1, tied: 1 },
    { costs: [1.3, 1, 1.2], index: 1, tied: 1 },
    { costs: [5, 7], index: 0, tied: 1 },
    { costs: [Number.NaN, Number.POSITIVE_INFINITY, 9], index: 2, tied: 1 },
  ])('takes number $index of $costs, which is alone at the best', ({ costs, index, tied }) => {
    for (const draw of [0, 0.5, 0.999_999]) expect(pick(costs, () => draw)).toMatchObject({ index, tied });
  });

  it('spreads evenly over all within a tenth of the best, and gives the rest nothing', () => {
    const random = seededRandom(7);
    const counts = [0, 0, 0, 0];
    const rounds = 9_000;
    for (let round = 0; round < rounds; round++) {
      const { index } = pick([1.09, 2, 1, 1.1], random);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    const share = rounds / 3;
    const chiSquare = [counts[0], counts[2], counts[3]]
      .map((count = 0) => (count - share) ** 2 / share)
      .reduce((a, b) => a + b);
    // Two degrees of freedom: once in a thousand by chance.
    expect(chiSquare).toBeLessThan(13.8);
  });

  it('does not let a few milliseconds decide among idle cards', () => {
    expect(pick([0.001, 0.02, 0.022]).tied).toBe(2);
  });

  it('takes any where none can be told', () => {
    expect(pick([Number.NaN, Number.POSITIVE_INFINITY], () => 0.6)).toMatchObject({ index: 1, tied: 2 });
  });

  it('reads no more costs than count', () => {
    expect(pickCheapest(Float64Array.of(2, 1), 1, -1, () => 0, settings).index).toBe(0);
    expect(() => pickCheapest(Float64Array.of(2), 0, -1, () => 0, settings)).toThrow(RangeError);
  });

  it('is never more than a tenth or 20 ms above the best', () => {
    const cost = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(cost, { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (costs, draw) => {
          const { index } = pick(costs, () => draw);
          const best = Math.min(...costs);
          expect(costs[index]).toBeLessThanOrEqual(best + Math.max(best * 0.1, 0.02));
        },
      ),
    );
  });
});

describe('one that is favoured', () => {
  const choose = (costs: readonly number[], favoured: number) =>
    pickCheapest(Float64Array.from(costs), costs.length, favoured, () => 0, settings);

  it.each([
    { costs: [0.1, 0.17], favoured: 1, index: 1 },
    { costs: [0.1, 0.18], favoured: 1, index: 0 },
    { costs: [1, 1.29], favoured: 1, index: 1 },
    { costs: [1, 1.31], favoured: 1, index: 0 },
    { costs: [100, 100.9], favoured: 1, index: 1 },
    { costs: [1, Number.POSITIVE_INFINITY], favoured: 1, index: 0 },
  ])('of $costs number $favoured: $index wins', ({ costs, favoured, index }) => {
    expect(choose(costs, favoured)).toMatchObject({ index, isFavoured: index === favoured });
  });

  it('never costs a second more than the best', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1 }),
        fc.nat(),
        (costs, pickOne) => {
          const { index, isFavoured } = choose(costs, pickOne % costs.length);
          if (isFavoured) expect(costs[index]).toBeLessThanOrEqual(Math.min(...costs) + 1);
        },
      ),
    );
  });
});

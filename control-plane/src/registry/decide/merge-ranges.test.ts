import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeRanges } from './merge-ranges.js';

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 10 }))
  .map(([first, length]) => ({ first, last: first + length }));
const members = (ranges: readonly { first: number; last: number }[]): number[] =>
  ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));

it('merged ranges hold the same numbers, newest range first, none twice', () => {
  fc.assert(
    fc.property(fc.array(range), range, (ranges, within) => {
      const merged = mergeRanges(ranges, within);
      const expected = new Set(members(ranges).filter((each) => each >= within.first && each <= within.last));
      expect(members(merged).toSorted((a, b) => a - b)).toEqual([...expected].toSorted((a, b) => a - b));
      for (const [index, next] of merged.slice(1).entries()) {
        expect(next.last).toBeLessThan((merged[index]?.first ?? 0) - 1);
      }
    }),
  );
});

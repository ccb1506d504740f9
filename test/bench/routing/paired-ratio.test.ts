import { describe, expect, it } from 'vitest';
import { pairedRatio } from './paired-ratio.js';

describe('a ratio over paired runs', () => {
  it('is the geometric mean, which what is slow as a whole does not move', () => {
    expect(pairedRatio([1, 20], [2, 10]).ratio).toBeCloseTo(1);
    expect(pairedRatio([1, 100, 7], [2, 200, 14])).toEqual({ ratio: 0.5, low: 0.5, high: 0.5 });
  });

  it('is refused where the runs are no pairs', () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow('no pairs');
    expect(() => pairedRatio([], [])).toThrow('no pairs');
  });
});

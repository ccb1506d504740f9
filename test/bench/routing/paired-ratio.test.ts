import { describe, expect, it } from 'vitest';
import { pairedRatio, tQuantile } from './paired-ratio.js';

describe('a ratio over paired runs', () => {
  it('is the geometric mean, which what is slow as a whole does not move', () => {
    expect(pairedRatio([1, 20], [2, 10]).ratio).toBeCloseTo(1);
    expect(pairedRatio([1, 100, 7], [2, 200, 14])).toEqual({ ratio: 0.5, low: 0.5, high: 0.5 });
  });

  it('has the interval of the t distribution on the logarithms', () => {
    // Logarithms 0, 0.1, 0.2: mean 0.1, deviation 0.1, t with 2 degrees 4.303.
    const { ratio, low, high } = pairedRatio([1, Math.exp(0.1), Math.exp(0.2)], [1, 1, 1]);
    const reach = (4.303 * 0.1) / Math.sqrt(3);
    expect(Math.log(ratio)).toBeCloseTo(0.1);
    expect(Math.log(low)).toBeCloseTo(0.1 - reach);
    expect(Math.log(high)).toBeCloseTo(0.1 + reach);
  });

  it('has no bounds where there is one run only', () => {
    expect(pairedRatio([2], [1])).toEqual({ ratio: 2, low: 0, high: Number.POSITIVE_INFINITY });
  });

  it('is refused where the runs are no pairs', () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow('no pairs');
    expect(() => pairedRatio([], [])).toThrow('no pairs');
  });

  it.each([
    [1, 12.706],
    [19, 2.093],
    [30, 2.042],
    [60, 2.0],
    [120, 1.98],
  ])('takes the quantile for %i degrees of freedom from the table', (degrees, quantile) => {
    expect(tQuantile(degrees)).toBeCloseTo(quantile, 2);
  });
});

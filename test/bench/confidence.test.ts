import { describe, expect, it } from 'vitest';
import { boundRatio, tQuantile } from './confidence.js';

describe('ratios of several rounds', () => {
  it('have the interval of the t distribution on their logarithms', () => {
    // Logarithms 0, 0.1, 0.2: mean 0.1, deviation 0.1, t with 2 degrees 4.303.
    const { ratio, low, high } = boundRatio([1, Math.exp(0.1), Math.exp(0.2)]);
    const reach = (4.303 * 0.1) / Math.sqrt(3);
    expect(Math.log(ratio)).toBeCloseTo(0.1);
    expect(Math.log(low)).toBeCloseTo(0.1 - reach);
    expect(Math.log(high)).toBeCloseTo(0.1 + reach);
  });

  it('have no bounds where there is one round only', () => {
    expect(boundRatio([2])).toEqual({ ratio: 2, low: 0, high: Number.POSITIVE_INFINITY });
  });

  it.each([
    [1, 12.706],
    [19, 2.093],
    [30, 2.042],
    [60, 2.0],
    [120, 1.98],
  ])('take the quantile for %i degrees of freedom from the table', (degrees, quantile) => {
    expect(tQuantile(degrees)).toBeCloseTo(quantile, 2);
  });
});

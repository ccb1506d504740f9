import { describe, expect, it } from 'vitest';
import { greatest, mean, median, ratioByRound, rounded } from './statistics.js';

describe('the statistics of the benchmarks', () => {
  it('takes the middle of an odd number of values, in whatever order they came', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('takes the mean of the middle two of an even number', () => {
    expect(median([4, 1, 100, 2])).toBe(3);
  });

  it('does not let one wild round move the median', () => {
    expect(median([10, 11, 12, 13, 9_999])).toBe(12);
  });

  it('has no figure where nothing was measured', () => {
    expect([median([]), mean([]), greatest([])]).toEqual([null, null, null]);
  });

  it('leaves the values it is given as they are', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('averages, and finds the greatest', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(greatest([1, 6, 2])).toBe(6);
  });

  it('divides what was measured in the same round', () => {
    expect(ratioByRound([10, 40], [5, 10])).toEqual([2, 4]);
  });

  it('leaves out rounds that one of the two missed or that divide by nothing', () => {
    expect(ratioByRound([10, 40, 7], [5, 0])).toEqual([2]);
    expect(ratioByRound(undefined, [1])).toEqual([]);
  });

  it('keeps four significant digits', () => {
    expect([rounded(12.34567), rounded(0.000123456), rounded(98_765)]).toEqual([12.35, 0.0001235, 98_770]);
  });
});

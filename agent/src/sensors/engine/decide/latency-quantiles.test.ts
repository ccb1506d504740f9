import { describe, expect, it } from 'vitest';
import { type Histogram, HistogramReader, quantilesBetween } from './latency-quantiles.js';

const INFINITE = Number.POSITIVE_INFINITY;

function histogram(...counts: number[]): Histogram {
  return { bounds: [0.1, 0.2, 0.4, INFINITE], counts };
}

describe('quantiles between two readings', () => {
  it('are those of what came in between alone', () => {
    expect(quantilesBetween(histogram(100, 100, 100, 100), histogram(100, 110, 110, 110))).toEqual({
      p50: 0.15,
      p95: 0.195,
    });
  });

  it('lie in the bucket that holds them', () => {
    expect(quantilesBetween(histogram(0, 0, 0, 0), histogram(10, 18, 20, 20))).toEqual({
      p50: 0.1,
      p95: 0.3,
    });
  });

  it('above the highest bound are said to be that bound', () => {
    expect(quantilesBetween(histogram(0, 0, 0, 0), histogram(0, 0, 0, 4))).toEqual({ p50: 0.4, p95: 0.4 });
  });

  it('of an engine that started anew are of what it counted since', () => {
    expect(quantilesBetween(histogram(50, 60, 70, 80), histogram(2, 2, 2, 2)).p50).toBe(0.05);
  });

  it.each<[string, Histogram | null, Histogram | null]>([
    ['nothing came', histogram(1, 2, 3, 4), histogram(1, 2, 3, 4)],
    ['it is the first reading', null, histogram(1, 2, 3, 4)],
    ['there are no buckets any more', histogram(1, 2, 3, 4), null],
    ['the bounds are others', { bounds: [1, 2, 3, INFINITE], counts: [1, 1, 1, 1] }, histogram(2, 2, 3, 4)],
    ['there are more bounds', { bounds: [INFINITE], counts: [1] }, histogram(2, 2, 3, 4)],
  ])('are unknown when %s', (_, before, after) => {
    expect(quantilesBetween(before, after)).toEqual({ p50: null, p95: null });
  });
});

describe('buckets', () => {
  it('without the infinite one, or with bounds that are none, are no histogram', () => {
    const reader = new HistogramReader();
    reader.add('a', '0.1', 1);
    reader.add('a', 'much', 1);
    reader.add('a', null, 1);
    expect(reader.read(['a'])).toBeNull();
    reader.add('a', '+Inf', 2);
    expect(reader.read(['none', 'a'])).toEqual({ bounds: [0.1, INFINITE], counts: [1, 2] });
  });
});

import { describe, expect, test } from 'vitest';
import { age, gib, percent } from './output.js';

describe('what the command line prints', () => {
  test.each([
    [null, 'never'],
    [1_000_000, '0 s'],
    [999_000, '1 s'],
    [881_000, '119 s'],
    [700_000, '5 min'],
    [-6_200_000, '2 h'],
    [-999_000_000, '12 d'],
    // A host's clock that is ahead is no reason for a negative age.
    [2_000_000, '0 s'],
  ])('an age from %s is %s', (fromMs, text) => {
    expect(age(fromMs, 1_000_000)).toBe(text);
  });

  test('what is unknown is a dash, never a zero', () => {
    expect([gib(null), gib(undefined), percent(null), percent(undefined)]).toEqual(['-', '-', '-', '-']);
    expect([gib(0), percent(0), gib(8 * 1024 ** 3), percent(0.126)]).toEqual([
      '0.0 GiB',
      '0 %',
      '8.0 GiB',
      '13 %',
    ]);
  });
});

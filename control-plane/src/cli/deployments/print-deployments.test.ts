import { describe, expect, test } from 'vitest';
import { describeGrowth } from './print-deployments.js';

const GIB = 1024 ** 3;

describe('how the disk of a host will grow', () => {
  test.each([
    [
      { imageBytes: 20 * GIB, weightsBytes: 5 * GIB, freeBytes: 80 * GIB },
      'grows by some 25.0 GiB, 80.0 GiB free: x',
    ],
    [
      { imageBytes: null, weightsBytes: 5 * GIB, freeBytes: null },
      'grows by some 5.0 GiB, what is free is not known: x',
    ],
    [{ imageBytes: null, weightsBytes: null, freeBytes: GIB }, 'grows by what is not known, 1.0 GiB free: x'],
  ])('%j', (known, text) => {
    expect(describeGrowth({ ...known, detail: 'x' })).toBe(text);
  });
});

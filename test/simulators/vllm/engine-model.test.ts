import { expect, it } from 'vitest';
import { decodeStepMs, prefillMs } from './engine-model.js';

const speed = { prefillTokensPerSecond: 1000, decodeTokensPerSecond: 50, slowdownPerRunning: 0.1 };

it('takes the time of the uncached prompt alone when nothing else runs', () => {
  expect(prefillMs(speed, 500, 1)).toBe(500);
  expect(prefillMs(speed, 0, 1)).toBe(0);
});

it('makes every step longer with each further running request', () => {
  expect(decodeStepMs(speed, 1)).toBe(20);
  expect(decodeStepMs(speed, 11)).toBe(40);
});

it('costs no time at an endless speed', () => {
  const atOnce = { ...speed, prefillTokensPerSecond: Number.POSITIVE_INFINITY };
  expect(prefillMs(atOnce, 500, 5)).toBe(0);
});

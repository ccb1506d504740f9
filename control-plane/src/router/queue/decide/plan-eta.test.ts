import { describe, expect, it } from 'vitest';
import { type EtaTarget, etaSeconds, retryAfterSeconds } from './plan-eta.js';

const target = (
  slots: number,
  nextFreeSeconds: number | null,
  meanHoldSeconds: number | null,
): EtaTarget => ({
  ...{ slots, nextFreeSeconds, meanHoldSeconds },
});

describe('when a request has its turn', () => {
  it.each<[string, number, EtaTarget[], number | null]>([
    ['the next one: when the first slot is free', 0, [target(4, 3, 20), target(4, 1, 20)], 1],
    ['behind it one for each slot that falls free', 8, [target(4, 3, 20)], 3 + 8 / 0.2],
    ['slots of all its targets', 8, [target(4, 3, 20), target(4, 1, 10)], 1 + 8 / 0.6],
    ['by the usual pace where no end is predicted', 0, [target(4, null, 20)], 5],
    ['the next one by prediction alone', 0, [target(4, 3, null)], 3],
    ['not known behind it without a pace', 1, [target(4, 3, null)], null],
    ['not known where nothing is', 0, [target(4, null, null)], null],
    ['not known without a target', 0, [], null],
    ['not known where slots are held for no time', 2, [target(4, null, 0)], null],
  ])('%s', (_, ahead, targets, seconds) => {
    const eta = etaSeconds(ahead, targets);
    if (seconds === null) expect(eta).toBeNull();
    else expect(eta).toBeCloseTo(seconds, 6);
  });

  it.each([
    [20_000, 0, 18],
    [20_000, 0.5, 20],
    [20_000, 1, 22],
    [10, 0.5, 1],
    [0, 0.5, 1],
    [9_999_999, 0.5, 600],
  ])('of %i ms makes Retry-After, by chance %f: %i', (etaMs, chance, seconds) => {
    expect(retryAfterSeconds(etaMs, chance)).toBe(seconds);
  });
});

import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import { freshLag, LAG_CANDIDATES, lagWindow, learnedLag, learnLag } from './learn-lag.js';

const settings = defaultPredictSettings.lag;

/** Our own count second by second: bursts of some requests that come and go. */
function ownSeries(length: number, seed: number, most: number): number[] {
  const random = seededRandom(seed);
  let own = 0;
  return Array.from({ length }, () => {
    if (random() < 0.3) own = Math.floor(random() * (most + 1));
    return own;
  });
}

function taught({
  lagSeconds,
  readings = 120,
  seed = 1,
  others = 0,
  most = 12,
}: {
  lagSeconds: number;
  readings?: number;
  seed?: number;
  others?: number;
  most?: number;
}) {
  const own = ownSeries(readings + 40, seed, most);
  const state = freshLag();
  for (let at = 30; at < readings + 30; at++) {
    const reported = (own[at - lagSeconds] ?? 0) + others;
    learnLag(state, reported, (lagMs) => own[at - lagMs / 1000] ?? 0, settings);
  }
  return learnedLag(state, settings);
}

describe('how late an engine’s gauges are', () => {
  it.each(LAG_CANDIDATES.map((ms) => ms / 1000))(
    'is found to be %d s, others in the engine or not',
    (lagSeconds) => {
      expect(taught({ lagSeconds })).toBe(lagSeconds * 1000);
      expect(taught({ lagSeconds, others: 5, seed: 3 })).toBe(lagSeconds * 1000);
    },
  );

  it('is not known before enough readings', () => {
    expect(taught({ lagSeconds: 4, readings: 39 })).toBeNull();
  });

  it('is not known where our own count stands still', () => {
    expect(taught({ lagSeconds: 4, most: 0 })).toBeNull();
  });

  it('is not known where no lag explains the gauge', () => {
    const [own, noise] = [ownSeries(200, 1, 12), ownSeries(200, 2, 12)];
    const state = freshLag();
    for (let at = 30; at < 200; at++) {
      learnLag(state, noise[at] ?? 0, (lagMs) => own[at - lagMs / 1000] ?? 0, settings);
    }
    expect(learnedLag(state, settings)).toBeNull();
  });

  it('opens a window around it; unknown, one over all that is usual', () => {
    expect(lagWindow(4_000, 6_000, settings)).toEqual({ leastMs: 2_500, mostMs: 5_500 });
    expect(lagWindow(0, 6_000, settings)).toEqual({ leastMs: 0, mostMs: 1_500 });
    expect(lagWindow(null, 6_000, settings)).toEqual({ leastMs: 0, mostMs: 6_000 });
  });
});

import { applyTelemetryDelta, emptyHostReading, type TelemetrySample } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packSamples } from './pack-samples.js';
import { type OutboxState, planReport } from './plan-report.js';

const quiet: OutboxState = {
  waiting: 0,
  newestWaitingAtMs: null,
  newestLiveAtMs: 10_000,
  hasNews: false,
  backfillsUnderway: 0,
  nowMs: 12_000,
};

describe('what is sent next', () => {
  test.each<[string, Partial<OutboxState>, string]>([
    ['nothing is new', {}, 'nothing'],
    ['a new sample is there', { waiting: 1, newestWaitingAtMs: 11_900 }, 'live'],
    ['a new sample and an hour of old ones are there', { waiting: 3_600, newestWaitingAtMs: 11_900 }, 'live'],
    ['the newest was sent and old ones wait', { waiting: 5, newestWaitingAtMs: 9_000 }, 'backfill'],
    [
      'only old ones wait, the link was down long',
      { waiting: 5, newestWaitingAtMs: 10_500, nowMs: 99_000 },
      'backfill',
    ],
    ['news and old samples wait', { waiting: 5, newestWaitingAtMs: 9_000, hasNews: true }, 'news'],
    [
      'enough backfills are on their way',
      { waiting: 5, newestWaitingAtMs: 9_000, backfillsUnderway: 8 },
      'nothing',
    ],
    ['news is there alone', { hasNews: true }, 'news'],
  ])('%s', (_what, changed, plan) => {
    expect(planReport({ ...quiet, ...changed })).toBe(plan);
  });
});

const number = fc.option(fc.nat(100));
const sampleAt = (atMs: number, cpuRatio: number | null, cards: number[]): TelemetrySample => ({
  atMs,
  host: { ...emptyHostReading, cpuRatio },
  gpus: Object.fromEntries(
    cards.map((card) => [`GPU-${card}`, { powerWatts: card } as TelemetrySample['gpus'][string]]),
  ),
  replicas: {},
});
const anySamples = fc
  .array(fc.tuple(number, fc.uniqueArray(fc.nat(5), { maxLength: 5 })), { maxLength: 80 })
  .map((all) => all.map(([cpu, cards], at) => sampleAt(at, cpu, cards)));

describe('packing samples', () => {
  test('what is unpacked is what was packed, in its order, within the bounds', () => {
    fc.assert(
      fc.property(
        anySamples,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 3_000 }),
        (samples, maxCount, maxLength) => {
          let held: TelemetrySample | null = null;
          const unpacked: TelemetrySample[] = [];
          let rest = samples;
          while (rest.length > 0) {
            const { deltas, last } = packSamples(held, rest, maxCount, maxLength);
            expect(deltas.length).toBeGreaterThan(0);
            expect(deltas.length).toBeLessThanOrEqual(maxCount);
            const length = JSON.stringify(deltas).length - deltas.length - 1;
            if (deltas.length > 1) expect(length).toBeLessThanOrEqual(maxLength);
            for (const delta of deltas) {
              held = applyTelemetryDelta(held, delta);
              unpacked.push(held);
            }
            expect(last).toEqual(rest[deltas.length - 1]);
            rest = rest.slice(deltas.length);
          }
          const strip = (all: TelemetrySample[]) =>
            all.map(({ atMs, host, gpus }) => [atMs, host.cpuRatio, Object.keys(gpus).sort()]);
          expect(strip(unpacked)).toEqual(strip(samples));
        },
      ),
    );
  });

  test('nothing to pack leaves the receiver with what it holds', () => {
    const held = sampleAt(1, 2, []);
    expect(packSamples(held, [], 60, 1_000)).toEqual({ deltas: [], last: held });
  });
});

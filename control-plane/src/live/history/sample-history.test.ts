import {
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
  type GpuReading,
  type TelemetrySample,
} from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_ROWS } from './column-block.js';
import { SampleHistory } from './sample-history.js';

function sampleAt(atMs: number, gpu: Partial<GpuReading> | null = {}): TelemetrySample {
  return {
    atMs,
    host: { ...emptyHostReading, cpuRatio: (atMs % 97) / 100 },
    gpus: gpu ? { 'GPU-1': { ...emptyGpuReading, ...gpu } } : {},
    replicas: {},
  };
}

function filled(times: Iterable<number>): SampleHistory {
  const history = new SampleHistory();
  for (const atMs of times) history.insert(sampleAt(atMs));
  return history;
}

const timesOf = (history: SampleHistory) => history.between(0, 1e15).map((sample) => sample.atMs);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Every number of a sample by its path, for comparing within what the compact form keeps. */
function numbersOf(value: unknown, path = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (typeof value !== 'object' || value === null) return found.set(path, value);
  for (const [key, child] of Object.entries(value)) {
    for (const [at, leaf] of numbersOf(child, `${path}.${key}`)) found.set(at, leaf);
  }
  return found;
}

function expectClose(kept: TelemetrySample, given: TelemetrySample): void {
  const keptNumbers = numbersOf(kept);
  const givenNumbers = numbersOf(given);
  expect([...keptNumbers.keys()].sort()).toEqual([...givenNumbers.keys()].sort());
  for (const [path, value] of givenNumbers) {
    const got = keptNumbers.get(path);
    if (typeof value === 'number')
      expect(Math.abs((got as number) - value)).toBeLessThanOrEqual(1_000 / 65_000);
    else expect({ path, got }).toEqual({ path, got: value });
  }
}

const measured = fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }).map((value) => value + 0));
const readingOf = <Reading extends object>(empty: Reading) =>
  fc.record(
    Object.fromEntries(
      Object.keys(empty).map((key) => [
        key,
        key === 'performanceState' ? fc.constantFrom(null, 'P0', 'P12') : measured,
      ]),
    ),
    { noNullPrototype: true },
  ) as unknown as fc.Arbitrary<Reading>;
const cards = fc.dictionary(fc.constantFrom('GPU-1', 'GPU-2'), readingOf(emptyGpuReading), {
  noNullPrototype: true,
});
const engines = fc.dictionary(fc.constantFrom('chat', 'embed'), readingOf(emptyEngineReading), {
  noNullPrototype: true,
});
const samples = fc.uniqueArray(
  fc.record(
    {
      atMs: fc.integer({ min: 0, max: 10_000 }),
      host: readingOf(emptyHostReading),
      gpus: cards,
      replicas: engines,
    },
    { noNullPrototype: true },
  ),
  { maxLength: 300, selector: (sample) => sample.atMs },
);

describe('the history of a host', () => {
  it('gives samples back in order of time, whatever order they came in', () => {
    fc.assert(
      fc.property(samples, (given) => {
        const history = new SampleHistory();
        for (const sample of given) history.insert(sample);
        const inOrder = [...given].sort((one, other) => one.atMs - other.atMs);
        const kept = history.between(0, 10_000);
        expect(kept).toHaveLength(inOrder.length);
        for (const [index, sample] of kept.entries()) expectClose(sample, inOrder[index] as TelemetrySample);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps order in whatever order samples come, and lets go of the oldest alone, at most two stretches', () => {
    const order = fc.shuffledSubarray(range(0, 400), { minLength: 200 });
    fc.assert(
      fc.property(order, (times) => {
        const history = new SampleHistory();
        let kept: number[] = [];
        for (const atMs of times) {
          history.insert(sampleAt(atMs));
          kept = [...kept, atMs].sort((one, other) => one - other);
          // No host's samples come like this: each that lands in a full stretch opens two more, and they are bounded.
          const gone = kept.length - history.sampleCount;
          expect(gone).toBeGreaterThanOrEqual(0);
          expect(gone).toBeLessThanOrEqual(2 * BLOCK_ROWS);
          expect(gone).toBeLessThan(kept.length);
          kept = kept.slice(gone);
        }
        expect(timesOf(history)).toEqual(kept);
      }),
      { numRuns: 40 },
    );
  });

  it('takes a backfill of minutes, oldest first, between what came before and after it', () => {
    const history = filled([...range(0, 200), ...range(500, 700), ...range(200, 500)]);
    expect(timesOf(history)).toEqual(range(0, 700));
  });

  it('gives only what lies between two times, both included', () => {
    const history = filled(range(0, 300));
    expect(history.between(100, 103).map((sample) => sample.atMs)).toEqual([100, 101, 102, 103]);
    expect(history.between(299, 1_000).map((sample) => sample.atMs)).toEqual([299]);
    expect(history.between(301, 400)).toEqual([]);
    expect(new SampleHistory().between(0, 1e15)).toEqual([]);
  });

  it.each([
    ['while it grows', 60],
    ['packed', 2 * BLOCK_ROWS],
  ])('keeps counters, bytes and usual decimals exact (%s)', (_, count) => {
    const history = new SampleHistory();
    const given = range(0, count).map((second) => ({
      ...sampleAt(second, {
        vramUsedBytes: 24_000_000_000 + second * 1_048_576,
        powerWatts: (10_000 + ((second * 37) % 1_000)) / 100,
      }),
      replicas: { chat: { ...emptyEngineReading, promptTokensTotal: 8_123_456_789 + second * 321 } },
    }));
    for (const sample of given) history.insert(sample);
    expect(history.between(0, count)).toEqual(given);
  });

  it('keeps a fast counter whole and to a 65,000th of its movement once it is packed', () => {
    const history = new SampleHistory();
    const totalAt = (second: number) => 8_000_000_000 + second * 12_345;
    for (const second of range(0, BLOCK_ROWS)) {
      const replicas = { chat: { ...emptyEngineReading, promptTokensTotal: totalAt(second) } };
      history.insert({ ...sampleAt(second), replicas });
    }
    for (const { atMs, replicas } of history.between(0, BLOCK_ROWS)) {
      const kept = replicas['chat']?.promptTokensTotal ?? 0;
      expect(Number.isInteger(kept)).toBe(true);
      expect(Math.abs(kept - totalAt(atMs))).toBeLessThanOrEqual((BLOCK_ROWS * 12_345) / 65_000);
    }
  });

  it('tells a missing value from 0, and a missing card from one without values', () => {
    const history = new SampleHistory();
    history.insert(sampleAt(1, { powerWatts: null, performanceState: 'P8' }));
    history.insert(sampleAt(2, { powerWatts: 0, performanceState: null }));
    history.insert(sampleAt(3, null));
    history.insert(sampleAt(4, {}));
    const kept = history.between(0, 10).map((sample) => sample.gpus);
    expect(kept).toEqual([
      { 'GPU-1': { ...emptyGpuReading, performanceState: 'P8' } },
      { 'GPU-1': { ...emptyGpuReading, powerWatts: 0 } },
      {},
      { 'GPU-1': emptyGpuReading },
    ]);
  });

  it('forgets what ended before a time, a stretch at a time', () => {
    const history = filled(range(0, 400));
    history.forgetBefore(BLOCK_ROWS);
    expect(timesOf(history)).toEqual(range(BLOCK_ROWS, 400));
    history.forgetBefore(10_000);
    expect(history.sampleCount).toBe(0);
  });

  it('forgets what lies in the future when the clock was set back', () => {
    const history = filled(range(0, 200));
    history.forgetAfter(99);
    expect(timesOf(history)).toEqual(range(0, 100));
    history.insert(sampleAt(100));
    expect(timesOf(history)).toEqual(range(0, 101));
  });

  it('is bounded however often a host reports', () => {
    const history = filled(range(0, 10_000));
    expect(history.sampleCount).toBeLessThanOrEqual(16 * BLOCK_ROWS);
    expect(timesOf(history).at(-1)).toBe(9_999);
  });

  it('is bounded however many cards a host makes up', () => {
    const history = new SampleHistory();
    for (const atMs of range(0, 60)) {
      const gpus = Object.fromEntries(range(0, 30).map((card) => [`GPU-${atMs}-${card}`, emptyGpuReading]));
      history.insert({ ...sampleAt(atMs), gpus });
    }
    const names = new Set(history.between(0, 60).flatMap((sample) => Object.keys(sample.gpus)));
    expect(names.size).toBe(64);
  });
});

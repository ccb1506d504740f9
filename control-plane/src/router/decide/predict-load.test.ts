import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultRouterSettings } from '../router-settings.js';
import { replicaOf } from '../testing/router-fixtures.js';
import { predictLoad } from './predict-load.js';

const settings = defaultRouterSettings.route.load;
const load = (parts: Parameters<typeof replicaOf>[1]): number => predictLoad(replicaOf('a', parts), settings);

describe('the predicted load', () => {
  it.each([
    { parts: {}, expected: 0, of: 'an idle replica' },
    { parts: { inflight: 1 }, expected: 0.25, of: 'one of four slots' },
    { parts: { inflight: 4 }, expected: 1, of: 'all four slots' },
    { parts: { externalLoad: 2 }, expected: 0.5, of: 'two requests of others' },
    { parts: { inflight: 1, externalLoad: 2.5 }, expected: 0.875, of: 'ours and those of others' },
    { parts: { inflight: 4, externalLoad: 4 }, expected: 2, of: 'twice what it takes' },
    { parts: { inflight: 1, deployment: { maxConcurrent: 16 } }, expected: 0.0625, of: 'one of 16 slots' },
    { parts: { kvUsageRatio: 1 }, expected: 0.5, of: 'a full KV cache' },
    { parts: { kvUsageRatio: 0.4 }, expected: 0.2, of: 'a KV cache at 40 %' },
    { parts: { waiting: 5 }, expected: 0.5, of: 'a long queue in the engine' },
    { parts: { waiting: 500 }, expected: 0.5, of: 'an endless queue in the engine' },
    { parts: { waiting: 1 }, expected: 0.1, of: 'one request waiting in the engine' },
    { parts: { waiting: 5, kvUsageRatio: 1, inflight: 4 }, expected: 2, of: 'everything at once' },
    { parts: { kvUsageRatio: null }, expected: 0.25, of: 'an unknown KV cache' },
    { parts: { kvUsageRatio: null, waiting: null }, expected: 0.25, of: 'an engine that tells nothing' },
    {
      parts: { readingAgeMs: null, kvUsageRatio: null, waiting: null },
      expected: 0.25,
      of: 'no reading at all',
    },
    {
      parts: { waiting: null, kvUsageRatio: 0 },
      expected: 0,
      of: 'an unknown queue beside a known KV cache',
    },
  ])('of $of is $expected', ({ parts, expected }) => {
    expect(load(parts)).toBeCloseTo(expected, 9);
  });

  it('is higher for the fuller card when in-flight is equal', () => {
    for (const inflight of [0, 1, 3]) {
      expect(load({ inflight, kvUsageRatio: 0.8 })).toBeGreaterThan(load({ inflight, kvUsageRatio: 0.2 }));
    }
  });

  it('ranks a card that tells nothing between an empty and a full one', () => {
    const unknown = load({ kvUsageRatio: null, waiting: null, readingAgeMs: null });
    expect(unknown).toBeGreaterThan(load({ kvUsageRatio: 0.1 }));
    expect(unknown).toBeLessThan(load({ kvUsageRatio: 0.9 }));
  });

  it.each([
    { ageMs: 0, expected: 0.5 },
    { ageMs: 5_000, expected: 0.5 },
    { ageMs: 10_000, expected: 0.375 },
    { ageMs: 15_000, expected: 0.3125 },
    { ageMs: 3_600_000, expected: 0.25 },
  ])('of a full KV cache read $ageMs ms ago is $expected', ({ ageMs, expected }) => {
    expect(load({ kvUsageRatio: 1, readingAgeMs: ageMs })).toBeCloseTo(expected, 6);
  });

  it.each([
    { ageMs: 5_000, expected: 0 },
    { ageMs: 10_000, expected: 0.125 },
    { ageMs: 3_600_000, expected: 0.25 },
  ])('of an empty KV cache read $ageMs ms ago is $expected: stale is not healthy', ({ ageMs, expected }) => {
    expect(load({ kvUsageRatio: 0, readingAgeMs: ageMs })).toBeCloseTo(expected, 6);
  });

  it('forgets a queue that nobody told of again', () => {
    expect(load({ waiting: 5, kvUsageRatio: 0.5, readingAgeMs: 3_600_000 })).toBeCloseTo(0.25, 6);
  });

  it('never lets a stale reading outweigh our own count', () => {
    expect(load({ inflight: 4, readingAgeMs: 60_000 })).toBeGreaterThan(load({ readingAgeMs: 60_000 }));
  });

  it('rises with each thing that makes an engine slower, and is never negative or not a number', () => {
    const amount = fc.double({ min: 0, max: 100, noNaN: true });
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        amount,
        ratio,
        fc.nat(1_000),
        fc.nat(120_000),
        (a, b, kv, waiting, readingAgeMs) => {
          const base = {
            inflight: Math.floor(a),
            externalLoad: b,
            kvUsageRatio: kv * 0.9,
            waiting,
            readingAgeMs,
          };
          const value = load(base);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(load({ ...base, inflight: base.inflight + 1 })).toBeGreaterThan(value);
          expect(load({ ...base, externalLoad: b + 1 })).toBeGreaterThan(value);
          expect(load({ ...base, kvUsageRatio: base.kvUsageRatio + 0.1 })).toBeGreaterThanOrEqual(value);
          expect(load({ ...base, waiting: waiting + 1 })).toBeGreaterThanOrEqual(value);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('moves towards the prior with age and never past it', () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(ratio, fc.nat(60_000), fc.nat(60_000), (kvUsageRatio, ageMs, moreMs) => {
        const distance = (readingAgeMs: number): number => load({ kvUsageRatio, readingAgeMs }) - 0.25;
        expect(Math.abs(distance(ageMs + moreMs))).toBeLessThanOrEqual(Math.abs(distance(ageMs)) + 1e-12);
        expect(distance(ageMs) * distance(ageMs + moreMs)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});

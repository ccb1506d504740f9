import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InflightHistory } from './inflight-history.js';

const make = (): InflightHistory => new InflightHistory(250, 80);

describe('the history of our own in-flight count', () => {
  it('is 0 before anything was claimed', () => {
    expect(make().range(-10_000, 10_000)).toEqual({ least: 0, most: 0 });
  });

  it('is 0 before the first claim and what it is after', () => {
    const history = make();
    history.record(10_000, 1);
    expect(history.range(2_000, 8_000)).toEqual({ least: 0, most: 0 });
    expect(history.range(10_500, 12_000)).toEqual({ least: 1, most: 1 });
    expect(history.range(9_000, 12_000)).toEqual({ least: 0, most: 1 });
  });

  it('stands still while nothing changes', () => {
    const history = make();
    history.record(1_000, 3);
    expect(history.range(500_000, 506_000)).toEqual({ least: 3, most: 3 });
  });

  it('keeps a burst that came and went between two looks', () => {
    const history = make();
    for (const count of [1, 2, 3, 4, 3, 2, 1, 0]) history.record(5_000, count);
    history.record(9_000, 1);
    expect(history.range(4_000, 8_000)).toEqual({ least: 0, most: 4 });
    expect(history.range(6_000, 8_000)).toEqual({ least: 0, most: 0 });
  });

  it('fills a long pause with what stood during it', () => {
    const history = make();
    history.record(1_000, 5);
    history.record(100_000, 6);
    expect(history.range(90_000, 99_000)).toEqual({ least: 5, most: 5 });
    expect(history.range(99_000, 101_000)).toEqual({ least: 5, most: 6 });
  });

  it('has forgotten what is longer ago than it reaches', () => {
    const history = make();
    history.record(1_000, 5);
    history.record(100_000, 6);
    expect(history.range(1_000, 70_000)).toBeNull();
  });

  it('tells what it still knows of a stretch that began too long ago', () => {
    const history = make();
    history.record(1_000, 5);
    history.record(100_000, 6);
    expect(history.range(1_000, 90_000)).toEqual({ least: 5, most: 5 });
  });

  it('works on a clock whose times are below zero', () => {
    const history = make();
    history.record(-5_000, 2);
    history.record(-1_000, 3);
    expect(history.range(-4_000, -2_000)).toEqual({ least: 2, most: 2 });
  });

  it('covers what really was, and no more than a step beside it', () => {
    const change = fc.record({ afterMs: fc.nat(1_500), count: fc.nat(9) });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 60 }),
        fc.nat(10_000),
        fc.nat(6_000),
        (changes, backMs, lengthMs) => {
          const history = make();
          let nowMs = 30_000;
          const timeline = [{ fromMs: 0, count: 0 }];
          for (const { afterMs, count } of changes) {
            nowMs += afterMs;
            history.record(nowMs, count);
            timeline.push({ fromMs: nowMs, count });
          }
          const toMs = nowMs - backMs;
          const fromMs = toMs - lengthMs;
          const during = (aMs: number, bMs: number): number[] =>
            timeline
              .filter(({ fromMs: startMs }, index) => {
                const endMs = timeline[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
                return startMs <= bMs && endMs >= aMs;
              })
              .map(({ count }) => count);
          const range = history.range(fromMs, toMs);
          expect(range?.least).toBeLessThanOrEqual(Math.min(...during(fromMs, toMs)));
          expect(range?.most).toBeGreaterThanOrEqual(Math.max(...during(fromMs, toMs)));
          const nearby = during(fromMs - 250, toMs + 250);
          expect(range?.least).toBeGreaterThanOrEqual(Math.min(...nearby));
          expect(range?.most).toBeLessThanOrEqual(Math.max(...nearby));
        },
      ),
      { numRuns: 500 },
    );
  });
});

import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { readingOf } from './testing/router-fixtures.js';
import { one, select, succeeded, take } from './testing/router-moves.js';

describe('the load of others', () => {
  const external = ({ router }: FakeFabric): number | null | undefined =>
    router.gauges().targets.find(({ target }) => target === 'a')?.externalLoad;

  it('is what the engine reports beyond our own requests', () => {
    const fabric = fabricOf(one);
    for (let request = 0; request < 2; request += 1) take(fabric);
    fabric.clock.advance(10_000);
    fabric.live.setReading('a', readingOf({ running: 4, waiting: 1 }), fabric.clock.nowMs());
    expect(external(fabric)).toBeCloseTo(3);
  });

  it('is unknown while no gauge told', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: null }), fabric.clock.nowMs());
    expect(external(fabric)).toBeNull();
  });

  it('is not an echo of our own burst that has just ended', () => {
    const fabric = fabricOf(one);
    const burst = Array.from({ length: 4 }, () => take(fabric));
    fabric.clock.advance(3_000);
    for (const claim of burst) claim.release(succeeded);
    // The gauge still tells of the burst, up to six seconds late.
    for (let late = 0; late < 3; late += 1) {
      fabric.clock.advance(1_900);
      fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs());
      expect(external(fabric)).toBe(0);
    }
  });

  it('is told from our own once it is known how late the gauge is', () => {
    const fabric = fabricOf(one);
    const random = seededRandom(3);
    const own: number[] = Array.from({ length: 13 }, () => 0);
    const open: ReturnType<typeof take>[] = [];
    let wished = 0;
    for (let second = 0; second < 200; second += 1) {
      if (second % 6 === 0) wished = random() < 0.5 ? 0 : 4;
      while (open.length < wished) open.push(take(fabric));
      while (open.length > wished) open.pop()?.release(succeeded);
      own.push(wished);
      fabric.clock.advance(500);
      // Twelve seconds late, and others have two under way all the time.
      fabric.live.setReading('a', readingOf({ running: (own.at(-13) ?? 0) + 2 }), fabric.clock.nowMs());
      const others = external(fabric);
      if (second > 140) expect(others).toBeGreaterThan(0.9);
      if (second > 140) expect(others).toBeLessThanOrEqual(2.000_001);
      fabric.clock.advance(500);
    }
  });

  it('fades when readings stop', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 1);
    expect(external(fabric)).toBeCloseTo(4);
    fabric.clock.advance(4_000);
    expect(external(fabric)).toBeCloseTo(2);
    fabric.clock.advance(60_000);
    expect(external(fabric)).toBeLessThan(0.001);
  });

  it('is believed only as far as a gauge can be a count', () => {
    for (const running of [-3, Number.NaN, Number.POSITIVE_INFINITY]) {
      const fabric = fabricOf(one);
      fabric.live.setReading('a', readingOf({ running }), fabric.clock.nowMs() + 1);
      expect(external(fabric)).toBeNull();
      expect(select(fabric).kind).toBe('send');
    }
  });

  it('is not distorted when the wall clock is set an hour forward or back', () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const fabric = fabricOf(one);
      fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 1);
      expect(external(fabric)).toBeCloseTo(4);
      fabric.clock.jumpWallClock(jumpMs);
      expect(external(fabric)).toBeCloseTo(4);
      fabric.clock.advance(4_000);
      expect(external(fabric)).toBeCloseTo(2);
    }
  });

  it('counts by the age that its reading has when it is first seen', () => {
    const fabric = fabricOf(one);
    fabric.clock.advance(60_000);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() - 4_000);
    expect(external(fabric)).toBeCloseTo(2);
  });

  it('counts from now on when its reading bears a time to come', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 3_600_000);
    expect(external(fabric)).toBeCloseTo(4);
    fabric.clock.advance(4_000);
    expect(external(fabric)).toBeCloseTo(2);
  });

  it('is kept over a change of the declared state that leaves the engine as it is', () => {
    const fabric = fabricOf(one);
    const report = (running: number): void => {
      fabric.live.setReading('a', readingOf({ running }), fabric.clock.nowMs());
    };
    fabric.clock.advance(60_000);
    report(3);
    expect(external(fabric)).toBeCloseTo(3);
    // From here on the gauge alone could not tell ours from theirs.
    for (let request = 0; request < 4; request += 1) take(fabric);
    fabric.clock.advance(1);
    report(4);
    expect(external(fabric)).toBeCloseTo(3, 2);
    fabric.declared.replace({ ...one, revision: 2 });
    expect(external(fabric)).toBeCloseTo(3, 2);
  });
});

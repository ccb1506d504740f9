import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { StallFreeClock } from './stall-free-clock.js';

describe('a clock that leaves out stalls', () => {
  it('is the clock below while ticks come in time, or nearly', () => {
    const below = new ManualClock();
    const clock = new StallFreeClock(below, 250);
    for (const waitMs of [250, 250, 1_249, 10]) {
      below.advance(waitMs);
      expect(clock.tick()).toBe(0);
    }
    expect(clock.monotonicMs()).toBe(below.monotonicMs());
    expect(clock.nowMs()).toBe(below.nowMs());
  });

  it('stands still through a stall, never goes back, and goes on from there', () => {
    const below = new ManualClock();
    const clock = new StallFreeClock(below, 250);
    clock.tick();
    const seen: number[] = [];
    for (const waitMs of [1_000, 500, 60_000]) {
      below.advance(waitMs);
      seen.push(clock.monotonicMs());
    }
    expect(seen).toEqual([1_000, 1_250, 1_250]);
    expect(clock.tick()).toBe(60_250);
    expect(clock.monotonicMs()).toBe(1_250);
    below.advance(100);
    expect(clock.monotonicMs()).toBe(1_350);
  });

  it('runs before the first tick', () => {
    const below = new ManualClock();
    const clock = new StallFreeClock(below, 250);
    below.advance(90_000);
    expect(clock.monotonicMs()).toBe(90_000);
    expect(clock.tick()).toBe(0);
  });

  it('leaves timers to the clock below', () => {
    const below = new ManualClock();
    const clock = new StallFreeClock(below, 250);
    const fired: string[] = [];
    clock.after(10, () => fired.push('after'));
    const every = clock.every(10, () => fired.push('every'));
    below.advance(20);
    every.cancel();
    below.advance(20);
    expect(fired).toEqual(['after', 'every', 'every']);
  });
});

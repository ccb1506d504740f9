import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { Deadlines, type Expiring } from './deadlines.js';

function expiring(expiresAtMs: number, onExpired: (self: Expiring) => void): Expiring {
  const self: Expiring = { expiresAtMs, slot: -1, onExpired: () => onExpired(self) };
  return self;
}

describe('Deadlines', () => {
  it('fires what is due within a tick, and nothing before', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const fired: number[] = [];
    for (const atMs of [250, 1_000, Number.POSITIVE_INFINITY]) {
      deadlines.watch(
        expiring(atMs, (self) => {
          fired.push(atMs);
          deadlines.unwatch(self);
        }),
      );
    }
    clock.advance(249);
    expect(fired).toEqual([]);
    clock.advance(100);
    expect(fired).toEqual([250]);
    clock.advance(700);
    expect(fired).toEqual([250, 1_000]);
    expect(deadlines.size).toBe(1);
  });

  it('follows a deadline that moves', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    let fired = 0;
    const moving = expiring(200, () => fired++);
    deadlines.watch(moving);
    clock.advance(150);
    moving.expiresAtMs = 400;
    clock.advance(150);
    expect(fired).toBe(0);
    clock.advance(150);
    expect(fired).toBe(1);
  });

  it('copes with watching and unwatching from inside a deadline, in any order', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const all: Expiring[] = [];
    let fired = 0;
    for (let index = 0; index < 50; index++) {
      all.push(
        expiring(100, (self) => {
          fired++;
          deadlines.unwatch(self);
          const victim = all[(index * 7) % 50];
          if (victim !== undefined) deadlines.unwatch(victim);
          deadlines.watch(expiring(10_000, () => undefined));
        }),
      );
    }
    for (const one of all) deadlines.watch(one);
    clock.advance(100);
    expect(all.every(({ slot }) => slot === -1)).toBe(true);
    expect(fired).toBe(deadlines.size);
  });

  it('holds no timer while nothing is watched', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const one = expiring(1_000, () => undefined);
    deadlines.watch(one);
    deadlines.watch(one);
    expect(deadlines.size).toBe(1);
    deadlines.unwatch(one);
    deadlines.unwatch(one);
    clock.advance(200);
    expect(clock.pendingTimers).toBe(0);
    deadlines.watch(one);
    expect(clock.pendingTimers).toBe(1);
  });
});

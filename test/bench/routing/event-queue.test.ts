import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { EventQueue, LabClock } from './event-queue.js';

/** Lets everything happen until a moment. */
function runUntil(events: EventQueue, clock: LabClock, untilMs: number): void {
  while (events.nextAtMs <= untilMs) {
    clock.moveTo(events.nextAtMs);
    events.runNext();
  }
}

describe('the events of a simulation', () => {
  it('happen in order of their time, and of the same time in order of their adding', () => {
    const events = new EventQueue();
    const random = seededRandom(3);
    const seen: string[] = [];
    const added = Array.from({ length: 500 }, (_, index) => ({ atMs: Math.floor(random() * 50), index }));
    for (const { atMs, index } of added) events.add(atMs, () => seen.push(`${atMs} ${index}`));
    while (events.nextAtMs < Number.POSITIVE_INFINITY) events.runNext();
    const sorted = [...added].sort((a, b) => a.atMs - b.atMs || a.index - b.index);
    expect(seen).toEqual(sorted.map(({ atMs, index }) => `${atMs} ${index}`));
  });

  it('do not happen once they are called off', () => {
    const events = new EventQueue();
    const seen: number[] = [];
    const first = events.add(1, () => seen.push(1));
    events.add(2, () => seen.push(2));
    first.cancel();
    expect(events.nextAtMs).toBe(2);
    events.runNext();
    expect(seen).toEqual([2]);
  });
});

describe('the clock of a simulation', () => {
  it('fires timers at their moment, periodic ones until they are cancelled', () => {
    const events = new EventQueue();
    const clock = new LabClock(events);
    const seen: string[] = [];
    const every = clock.every(10, () => seen.push(`every ${clock.monotonicMs()}`));
    clock.after(25, () => {
      seen.push(`after ${Math.round(clock.monotonicMs())}`);
      every.cancel();
    });
    runUntil(events, clock, 100);
    expect(seen).toEqual(['every 10', 'every 20', 'after 25']);
  });

  it('never fires one early, whatever fractions add up to', () => {
    const events = new EventQueue();
    const clock = new LabClock(events);
    const random = seededRandom(4);
    for (let tries = 0; tries < 1_000; tries += 1) {
      clock.moveTo(random() * 1e6);
      const dueMs = clock.monotonicMs() + random() * 1e5;
      clock.after(dueMs - clock.monotonicMs(), () =>
        expect(clock.monotonicMs()).toBeGreaterThanOrEqual(dueMs),
      );
      clock.moveTo(events.nextAtMs);
      events.runNext();
    }
  });
});

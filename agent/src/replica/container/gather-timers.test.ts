import type { Clock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { gatherTimers } from './gather-timers.js';

describe('gathered timers', () => {
  it('that are due at about the same time are one of the clock’s', () => {
    const clock = new ManualClock();
    const gathered = gatherTimers(clock);
    const startMs = clock.monotonicMs();
    const ran: string[] = [];
    gathered.after(4_498.2, () => ran.push('a'));
    clock.advance(1);
    gathered.after(4_499, () => ran.push('b'));
    gathered.after(4_506, () => ran.push('c'));
    expect(clock.pendingTimers).toBe(2);
    clock.advance(startMs + 4_499 - clock.monotonicMs());
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual(['a', 'b']);
    clock.advance(10);
    expect(ran).toEqual(['a', 'b', 'c']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('at a moment that adding up missed by a hair come at it', () => {
    const clock = new ManualClock();
    const gathered = gatherTimers(clock);
    let runs = 0;
    clock.advance(0.1 + 0.2);
    gathered.after(4_500 - (clock.monotonicMs() % 4_500), () => {
      runs += 1;
    });
    clock.advance(4_500);
    expect(runs).toBe(1);
  });

  it('end with the last that is cancelled, one that was run included', () => {
    const clock = new ManualClock();
    const gathered = gatherTimers(clock);
    const ran: string[] = [];
    const first = gathered.after(100, () => ran.push('first'));
    const second = gathered.after(100, () => ran.push('second'));
    first.cancel();
    first.cancel();
    expect(clock.pendingTimers).toBe(1);
    second.cancel();
    expect(clock.pendingTimers).toBe(0);
    const again = gathered.after(100, () => ran.push('again'));
    first.cancel();
    clock.advance(100);
    again.cancel();
    expect(ran).toEqual(['again']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are not run when one before them cancels them, nor lost when one sets the next', () => {
    const clock = new ManualClock();
    const gathered = gatherTimers(clock);
    const ran: string[] = [];
    gathered.after(10, () => {
      ran.push('one');
      other.cancel();
      gathered.after(0, () => ran.push('next'));
    });
    const other = gathered.after(10, () => ran.push('other'));
    clock.advance(10);
    clock.advance(5);
    expect(ran).toEqual(['one', 'next']);
  });

  it('never come early, though the clock’s own do', () => {
    let nowMs = 0;
    const due: { readonly run: () => void; readonly delayMs: number }[] = [];
    const hasty: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      every: () => ({ cancel: () => undefined }),
      after: (delayMs, run) => {
        due.push({ run, delayMs });
        return { cancel: () => undefined };
      },
    };
    let runs = 0;
    gatherTimers(hasty).after(100, () => {
      runs += 1;
    });
    nowMs = 99.4;
    due[0]?.run();
    expect(runs).toBe(0);
    expect(due[1]?.delayMs).toBeCloseTo(0.6);
    nowMs = 100.2;
    due[1]?.run();
    expect(runs).toBe(1);
  });
});

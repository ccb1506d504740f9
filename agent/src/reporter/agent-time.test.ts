import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentTime } from './agent-time.js';

const agentTime = (clock: ManualClock) => new AgentTime(clock, () => clock.monotonicMs());

describe('the agent’s clock', () => {
  test('starts as the wall clock and goes on with elapsed time', () => {
    const clock = new ManualClock(1_000_000);
    const time = agentTime(clock);
    expect(time.stamp()).toBe(1_000_000);
    clock.advance(2_000);
    expect(time.stamp()).toBe(1_002_000);
  });

  test('does not go back with the wall clock', () => {
    const clock = new ManualClock(10_000_000);
    const time = agentTime(clock);
    clock.advance(1_000);
    clock.jumpWallClock(-3_600_000);
    time.followWallClock();
    clock.advance(1_000);
    expect(time.stamp()).toBe(10_002_000);
  });

  test('follows a wall clock that was set forward when it is told to, not before', () => {
    const clock = new ManualClock(1_000_000);
    const time = agentTime(clock);
    clock.jumpWallClock(3_600_000);
    expect(time.nowMs()).toBe(1_000_000);
    time.followWallClock();
    expect(time.nowMs()).toBe(4_600_000);
  });

  test('counts the time that the machine slept, where the system tells it', () => {
    const clock = new ManualClock(1_000_000);
    let sleptMs = 0;
    const time = new AgentTime(clock, () => clock.monotonicMs() + sleptMs);
    sleptMs = 8 * 3_600_000;
    expect(time.nowMs()).toBe(1_000_000 + sleptMs);
  });

  test('whatever is done to the wall clock, stamps rise and no frame is sent before its samples', () => {
    const action = fc.record({
      passMs: fc.nat(5_000),
      jumpMs: fc.integer({ min: -1e9, max: 1e9 }),
      follow: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const clock = new ManualClock();
        const time = agentTime(clock);
        let last = Number.NEGATIVE_INFINITY;
        for (const { passMs, jumpMs, follow } of actions) {
          clock.advance(passMs);
          clock.jumpWallClock(jumpMs);
          if (follow) time.followWallClock();
          const stamp = time.stamp();
          expect(stamp).toBeGreaterThan(last);
          expect(time.nowMs()).toBeGreaterThanOrEqual(stamp);
          last = stamp;
        }
      }),
    );
  });
});

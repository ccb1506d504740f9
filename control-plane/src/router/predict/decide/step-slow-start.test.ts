import fc from 'fast-check';
import { expect, it } from 'vitest';
import { notSlow, stepSlowStart } from './step-slow-start.js';

it('a replica that has become ready gets one request, then two, then four, then all', () => {
  let cap = stepSlowStart(notSlow, 'ready', 8);
  const caps = [cap];
  for (let success = 0; success < 3; success++) {
    cap = stepSlowStart(cap, 'succeeded', 8);
    caps.push(cap);
  }
  expect(caps).toEqual([1, 2, 4, notSlow]);
});

it('a failure halves what it gets, and never below one', () => {
  expect(stepSlowStart(4, 'failed', 16)).toBe(2);
  expect(stepSlowStart(1, 'failed', 16)).toBe(1);
});

it('one that is not started slowly stays so until it becomes ready again', () => {
  expect(stepSlowStart(notSlow, 'failed', 8)).toBe(notSlow);
  expect(stepSlowStart(notSlow, 'succeeded', 8)).toBe(notSlow);
  expect(stepSlowStart(notSlow, 'ready', 1)).toBe(notSlow);
});

it('is at least one, and below its slots or no bound at all', () => {
  const event = fc.constantFrom('ready' as const, 'succeeded' as const, 'failed' as const);
  fc.assert(
    fc.property(fc.array(event), fc.integer({ min: 1, max: 64 }), (events, slots) => {
      let cap = notSlow;
      for (const each of events) {
        cap = stepSlowStart(cap, each, slots);
        expect(cap).toBeGreaterThanOrEqual(1);
        expect(cap === notSlow || cap < slots).toBe(true);
      }
    }),
  );
});

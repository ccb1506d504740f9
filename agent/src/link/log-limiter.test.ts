import { ManualClock } from '@ai-fabric/shared/testing';
import { expect, test } from 'vitest';
import { LogLimiter } from './log-limiter.js';

test('one line of a kind passes a minute, and tells how many were held back', () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock);
  expect(limiter.pass('unreachable')).toBe(0);
  expect(limiter.pass('unreachable')).toBeNull();
  expect(limiter.pass('unreachable')).toBeNull();
  expect(limiter.pass('lost')).toBe(0);
  clock.advance(60_000);
  expect(limiter.pass('unreachable')).toBe(2);
  expect(limiter.pass('unreachable')).toBeNull();
});

test('after a reset the next line is news', () => {
  const limiter = new LogLimiter(new ManualClock());
  limiter.pass('lost');
  limiter.reset();
  expect(limiter.pass('lost')).toBe(0);
});

test('a flood of kinds does not grow it', () => {
  const limiter = new LogLimiter(new ManualClock());
  for (let kind = 0; kind < 1_000; kind += 1) expect(limiter.pass(`kind-${kind}`)).toBe(0);
});

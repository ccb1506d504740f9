import { expect, it } from 'vitest';
import { elapsedWithSleep } from './elapsed-with-sleep.js';

it('elapsed time has the time that the machine slept in it, and is asked for once in a report', () => {
  let monotonicMs = 1_000;
  let sleptMs = 0;
  let asked = 0;
  const elapsedMs = elapsedWithSleep(
    () => monotonicMs,
    () => {
      asked += 1;
      return (monotonicMs + sleptMs) / 1_000;
    },
  );
  expect(elapsedMs()).toBe(1_000);
  monotonicMs += 20;
  expect(elapsedMs()).toBe(1_020);
  expect(asked).toBe(1);
  monotonicMs += 980;
  sleptMs = 3_600_000;
  expect(elapsedMs()).toBe(3_602_000);
  expect(asked).toBe(2);
});

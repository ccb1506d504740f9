import { expect, test } from 'vitest';
import { isCrowded, judgeConnection } from './judge-connection.js';

test.each([
  [0, false, 'take'],
  [99, false, 'take'],
  [100, false, 'reserve'],
  [147, false, 'reserve'],
  [148, false, 'refuse'],
  [148, true, 'reserve'],
  [163, true, 'reserve'],
  [164, true, 'refuse'],
] as const)('with %i of 100 and 64 open, local %s: %s', (open, isLocal, verdict) => {
  expect(judgeConnection({ open, max: 100, reserve: 64, isLocal })).toBe(verdict);
});

test('a listener is crowded above four fifths', () => {
  expect(isCrowded(80, 100)).toBe(false);
  expect(isCrowded(81, 100)).toBe(true);
});

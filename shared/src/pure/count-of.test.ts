import { expect, it } from 'vitest';
import { countOf } from './count-of.js';

it.each([
  [countOf(0, 'host'), '0 hosts'],
  [countOf(1, 'host'), '1 host'],
  [countOf(2, 'host'), '2 hosts'],
  [countOf(1, 'try', 'tries'), '1 try'],
  [countOf(3, 'try', 'tries'), '3 tries'],
  [countOf(1, 'row was dropped', 'rows were dropped'), '1 row was dropped'],
])('%s', (told, expected) => {
  expect(told).toBe(expected);
});

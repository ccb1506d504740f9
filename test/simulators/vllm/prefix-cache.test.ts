import { expect, it } from 'vitest';
import { PrefixCache } from './prefix-cache.js';

const text = (length: number) =>
  Array.from({ length }, (_, index) => String.fromCharCode(97 + (index % 23))).join('');

it('counts the whole blocks that two prompts share from their beginning', () => {
  const cache = new PrefixCache(16, 100);
  expect(cache.take(`${text(256)}one`)).toBe(0);
  expect(cache.take(`${text(256)}two`)).toBe(64);
  expect(cache.take(`x${text(256)}two`)).toBe(0);
});

it('never counts the last token of a prompt that it knows whole', () => {
  const cache = new PrefixCache(16, 100);
  cache.take(text(128));
  expect(cache.take(text(128))).toBe(31);
});

it('forgets the least recently used blocks above its limit', () => {
  const cache = new PrefixCache(16, 4);
  cache.take(text(128));
  for (let turn = 0; turn < 10; turn += 1) cache.take(`${turn}${text(200)}`);
  expect(cache.size).toBe(4);
  expect(cache.take(text(128))).toBe(0);
});

import { expect, it } from 'vitest';
import { AnswerLengths } from './answer-lengths.js';
import { defaultPredictSettings } from './predict-settings.js';

const { lengths: settings } = defaultPredictSettings;

function taught(
  role: string,
  key: string,
  tokens: number,
  count: number,
  into = new AnswerLengths(settings),
) {
  for (let answer = 0; answer < count; answer++) into.learn(role, key, tokens);
  return into;
}

it('each role has lengths of its own, and each key within it', () => {
  const lengths = taught('chat', 'a', 20, 40);
  taught('essay', 'a', 2_000, 40, lengths);
  taught('chat', 'b', 300, 40, lengths);
  expect(lengths.expect('essay', 'a', null)).toBeGreaterThan(1_500);
  expect(lengths.expect('chat', 'a', null)).toBeLessThan(60);
  expect(lengths.expect('chat', 'b', null)).toBeGreaterThan(200);
  expect(lengths.expect('chat', 'b', 64)).toBeLessThanOrEqual(64);
  expect(lengths.expect('never asked', 'a', null)).toBe(settings.unknownTokens);
});

it('keys beyond the bound are forgotten, those unused for longest first', () => {
  const lengths = new AnswerLengths({ ...settings, mostKeys: 100 });
  for (let key = 0; key < 1_000; key++) {
    lengths.learn('chat', `key-${key}`, 100);
    lengths.learn('chat', 'busy', 5);
    expect(lengths.keyCount).toBeLessThanOrEqual(100);
  }
  expect(lengths.expect('chat', 'busy', null)).toBeLessThan(lengths.expect('chat', 'unknown', null) / 2);
});

it('a role that is no longer declared is forgotten', () => {
  const lengths = taught('chat', 'a', 20, 10);
  lengths.retain((role) => role !== 'chat');
  expect(lengths.keyCount).toBe(0);
  expect(lengths.expect('chat', 'a', null)).toBe(settings.unknownTokens);
});

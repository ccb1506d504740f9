import { expect, test } from 'vitest';
import { describeTargets } from './describe-targets.js';

const a = { deployment: 'a' };
const b = { deployment: 'b' };
const cheap = { provider: 'openai', model: 'cheap' };
const strong = { provider: 'openai', model: 'strong' };

const none = { whenWaitExceeds: null, maxContext: null, capabilities: null, localOnly: false };
const late = { ...b, when: { ...none, whenWaitExceeds: 5 } };
const picky = {
  ...cheap,
  when: {
    whenWaitExceeds: 20,
    maxContext: 8192,
    capabilities: ['tools' as const, 'vision' as const],
    localOnly: true,
  },
};

test.each([
  [[a, late], 'a → b (wait > 5 s)'],
  [[{ ...a, when: { ...none, maxContext: 4096 } }, b], 'a (≤ 4096 tokens) | b'],
  [[a, late, { ...a, when: { ...none, whenWaitExceeds: 5 } }], 'a → b (wait > 5 s) | a (wait > 5 s)'],
  [[late, a], 'b (wait > 5 s) → a'],
  [[a, picky], 'a → openai/cheap (wait > 20 s, ≤ 8192 tokens, for tools or vision, local only)'],
  [[a], 'a'],
  [[a, b], 'a | b'],
  [[a, b, cheap], 'a | b → openai/cheap'],
  [[a, cheap, b], 'a → openai/cheap → b'],
  [[cheap, strong], 'openai/cheap → openai/strong'],
  [[], ''],
])('targets that compete are told from those that follow: %j is "%s"', (targets, text) => {
  expect(describeTargets(targets)).toBe(text);
});

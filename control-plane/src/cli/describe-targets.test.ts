import { expect, test } from 'vitest';
import { describeTargets } from './describe-targets.js';

const a = { deployment: 'a' };
const b = { deployment: 'b' };
const cheap = { provider: 'openai', model: 'cheap' };
const strong = { provider: 'openai', model: 'strong' };

test.each([
  [[a], 'a'],
  [[a, b], 'a | b'],
  [[a, b, cheap], 'a | b → openai/cheap'],
  [[a, cheap, b], 'a → openai/cheap → b'],
  [[cheap, strong], 'openai/cheap → openai/strong'],
  [[], ''],
])('targets that compete are told from those that follow: %j is "%s"', (targets, text) => {
  expect(describeTargets(targets)).toBe(text);
});

import { describe, expect, it } from 'vitest';
import { freshDensityTrust, isDensityKnown, noteDensity } from './trust-density.js';

function after(ratios: readonly number[]): boolean {
  const trust = freshDensityTrust();
  for (const ratio of ratios) noteDensity(trust, ratio);
  return isDensityKnown(trust);
}
const times = (count: number, ratio: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => ratio(index));

describe('how many bytes a token has', () => {
  it.each<[string, readonly number[], boolean]>([
    ['nothing', [], false],
    ['19 prompts that agree', times(19, () => 1), false],
    ['20 prompts that agree', times(20, () => 1), true],
    [
      '20 prompts that are a tenth off, to both sides',
      times(20, (index) => (index % 2 === 0 ? 1.1 : 0.9)),
      false,
    ],
    ['30 of them', times(30, (index) => (index % 2 === 0 ? 1.1 : 0.9)), true],
    ['100 prompts of two languages', times(100, (index) => (index % 2 === 0 ? 1.6 : 0.7)), false],
    ['prompts that were of another kind of late', [...times(40, () => 1), ...times(4, () => 0.5)], false],
  ])('after %s: %#', (_what, ratios, known) => {
    expect(after(ratios)).toBe(known);
  });
});

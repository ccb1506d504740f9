import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import { expectLength, freshLengths, learnKeyLength, learnLength } from './learn-lengths.js';

const settings = defaultPredictSettings.lengths;

function taught(lengths: readonly number[]) {
  const state = freshLengths();
  for (const tokens of lengths) learnLength(state, tokens, settings);
  return state;
}

function keyOf(lengths: readonly number[]) {
  const key = { mean: 0, answers: 0 };
  for (const tokens of lengths) learnKeyLength(key, tokens, settings);
  return key;
}

const many = (tokens: number, count: number): number[] => Array.from({ length: count }, () => tokens);

describe('the expected length of an answer', () => {
  it('is 200 where nothing is known, or what the client allows', () => {
    expect(expectLength(null, null, null, settings)).toBe(200);
    expect(expectLength(null, freshLengths(), 16, settings)).toBe(16);
  });

  it('is what the role answers at', () => {
    const expected = expectLength(null, taught(many(500, 50)), null, settings);
    expect(expected / 500).toBeGreaterThan(0.8);
    expect(expected / 500).toBeLessThan(1.25);
  });

  it('is cut answer by answer, not at the mean', () => {
    const role = taught([...many(10, 90), ...many(2_000, 10)]);
    const free = expectLength(null, role, null, settings);
    const cut = expectLength(null, role, 100, settings);
    expect(free).toBeGreaterThan(150);
    expect(cut).toBeLessThan(25);
  });

  it('moves to what a key is like with its answers', () => {
    const role = taught(many(500, 50));
    const all = expectLength(null, role, null, settings);
    const few = expectLength(keyOf(many(50, 2)), role, null, settings);
    const more = expectLength(keyOf(many(50, 60)), role, null, settings);
    expect(few).toBeLessThan(all);
    expect(more).toBeLessThan(few);
    expect(more).toBeLessThan(120);
  });

  it('forgets how a role used to answer', () => {
    const role = taught([...many(2_000, 600), ...many(20, 3_000)]);
    expect(expectLength(null, role, null, settings)).toBeLessThan(60);
  });

  it('is between one and what the client allows, and rises with that', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 50 }),
        fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 5_000 }),
        (lengths, own, most) => {
          const [role, key] = [taught(lengths), keyOf(own)];
          const expected = expectLength(key, role, most, settings);
          expect(expected).toBeGreaterThanOrEqual(1);
          expect(expected).toBeLessThanOrEqual(most);
          expect(expectLength(key, role, most + 100, settings)).toBeGreaterThanOrEqual(expected - 1e-9);
        },
      ),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import { driftAt, driftFactor, freshDrift, stepDrift } from './step-drift.js';

const { doneDrift } = defaultPredictSettings;
const driftBand = { deadBand: 0.35, least: -0.3, most: 1.8 };

describe('drift', () => {
  it('of a fresh engine is none', () => {
    expect(driftFactor(driftAt(freshDrift(), 1_000, doneDrift), 0, driftBand)).toBe(1);
  });

  it('grows with each slow answer, towards what they show', () => {
    const state = freshDrift();
    let before = 0;
    for (let answer = 0; answer < 60; answer++) {
      stepDrift(state, Math.log(3), 1_000, doneDrift);
      expect(state.logRatio).toBeGreaterThan(before);
      before = state.logRatio;
    }
    expect(state.logRatio).toBeCloseTo(Math.log(3), 2);
  });

  it('is half forgotten after its half-life', () => {
    const state = freshDrift();
    for (let answer = 0; answer < 100; answer++) stepDrift(state, 1, 5_000, doneDrift);
    expect(driftAt(state, 5_000 + doneDrift.halfLifeMs, doneDrift)).toBeCloseTo(0.5, 3);
    expect(driftAt(state, 4_000, doneDrift)).toBeCloseTo(1, 3);
  });

  it('takes no notice of what is no number', () => {
    const state = freshDrift();
    stepDrift(state, Number.NaN, 1_000, doneDrift);
    expect(state).toEqual(freshDrift());
  });

  it.each([
    { live: 0.3, done: -0.3, factor: 1 },
    { live: 0.85, done: 0, factor: Math.exp(0.5) },
    { live: 0, done: 0.85, factor: Math.exp(0.5) },
    { live: -2, done: -2, factor: Math.exp(-0.3) },
    { live: 9, done: 0, factor: Math.exp(1.8) },
  ])('of $live by pace and $done by answers multiplies by $factor', ({ live, done, factor }) => {
    expect(driftFactor(live, done, driftBand)).toBeCloseTo(factor, 9);
  });
});

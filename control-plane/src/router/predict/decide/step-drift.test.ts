import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import { driftAt, driftFactor, freshDrift, stepDrift, watchDrift } from './step-drift.js';

const { doneDrift, liveDrift } = defaultPredictSettings;
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

  it.each([1, 2, 8, 40])('of a watch of 4 s is the same where it is cut into %d pieces', (pieces) => {
    const state = { logRatio: -0.2, atMs: 1_000 };
    for (let piece = 1; piece <= pieces; piece++) {
      watchDrift(state, 0.9, 4_000 / pieces, 1_000 + (4_000 / pieces) * piece, liveDrift);
    }
    const kept = 2 ** (-4_000 / liveDrift.seenHalfLifeMs);
    expect(state.logRatio).toBeCloseTo(0.9 - 1.1 * kept, 9);
  });

  it('of before a watch is forgotten as long as nothing was to be seen', () => {
    const state = { logRatio: 1, atMs: 0 };
    const spanMs = liveDrift.seenHalfLifeMs;
    watchDrift(state, 0, spanMs, liveDrift.halfLifeMs + spanMs, liveDrift);
    expect(state.logRatio).toBeCloseTo(0.25, 9);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('takes no notice of a watch that saw %d', (seen) => {
    const state = freshDrift();
    watchDrift(state, seen, 500, 1_000, liveDrift);
    watchDrift(state, 1, 0, 1_000, liveDrift);
    expect(state).toEqual(freshDrift());
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

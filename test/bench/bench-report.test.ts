import { describe, expect, it } from 'vitest';
import type { Bench, Measured } from './bench.js';
import { describeReport, makeReport } from './bench-report.js';

const bench: Bench = {
  name: 'sample',
  measures: 'nothing',
  figures: [
    { name: 'speed', meaning: 'fast', limit: { atLeast: 8 }, from: 'median' },
    { name: 'load', meaning: 'small', limit: { atMost: 20 }, from: 'mean' },
    { name: 'shown', meaning: 'as it is', limit: null, from: 'greatest' },
    { name: 'sure', meaning: 'at least', limit: { atLeast: 1 }, from: 'lower95' },
    { name: 'bounded', meaning: 'at most', limit: { atMost: 3 }, from: 'upper95' },
  ],
  run: () => Promise.reject(new Error('not run here')),
};

const measured: Measured = {
  rounds: { speed: [9, 1, 10], load: [10, 40], sure: [2, 2, 2.2], bounded: [3], absolute_rps: [12_345.678] },
  leftOut: [{ figure: 'shown', reason: 'haproxy is not on this machine' }],
  notes: ['one core only'],
};

describe('the report of a benchmark', () => {
  it('makes each figure of its rounds in the way the bench says', () => {
    expect(makeReport(bench, measured).figures).toEqual({
      speed: 9,
      load: 25,
      sure: 1.801,
      bounded: 3,
    });
  });

  it('takes the unfavourable bound of what is to hold nineteen times of twenty, and shows both', () => {
    const text = describeReport(bench, makeReport(bench, measured), measured);
    expect(text).toMatch(/sure +1.801 +≥ 1 ok +1.80–2.37 +2 2 2.2/);
  });

  it('leaves out what was not measured instead of inventing a number', () => {
    expect(makeReport(bench, measured).figures).not.toHaveProperty('shown');
  });

  it('keeps all rounds, those for information too', () => {
    expect(makeReport(bench, measured).rounds['absolute_rps']).toEqual([12_350]);
  });

  it('sets each figure beside its limit and says on which side it lies', () => {
    const text = describeReport(bench, makeReport(bench, measured), measured);
    expect(text).toMatch(/speed +9 +≥ 8 ok/);
    expect(text).toMatch(/load +25 +≤ 20 over/);
  });

  it('names what it could not measure, with the reason', () => {
    const text = describeReport(bench, makeReport(bench, measured), measured);
    expect(text).toMatch(/shown +not measured/);
    expect(text).toContain('left out: shown: haproxy is not on this machine');
    expect(text).toContain('note: one core only');
  });
});

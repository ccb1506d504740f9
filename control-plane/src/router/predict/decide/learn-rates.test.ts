import { seededRandom } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import type { Rates } from '../predict-types.js';
import { UNKNOWN_RATES } from './guess-rates.js';
import { freshRates, learnRates, type RateObservation, type RateState } from './learn-rates.js';

const settings = defaultPredictSettings.learn;
const card: Rates = { iterationSeconds: 0.014, perDecodingSeconds: 0.0009, perPromptTokenSeconds: 0.0006 };

/** What gateways see: first bytes and ends of streams, and whole JSON answers, at a load that changes. */
function observations(rates: Rates, count: number, seed: number, noise = 0.1): RateObservation[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const decoding = random() * 8;
    const isStart = index % 2 === 0;
    const iterations = isStart ? 1.5 : 20 + random() * 300;
    const promptTokens = isStart ? 50 + random() * 2_000 : random() * 3_000;
    const decodingIterations = iterations * decoding;
    const exact =
      rates.iterationSeconds * iterations +
      rates.perDecodingSeconds * decodingIterations +
      rates.perPromptTokenSeconds * promptTokens;
    const seconds = exact * Math.exp(noise * (random() + random() - 1));
    return { iterations, decodingIterations, promptTokens, seconds, trust: 1 };
  });
}

function taught(seen: readonly RateObservation[], prior: Rates = UNKNOWN_RATES): RateState {
  const state = freshRates(prior);
  for (const each of seen) learnRates(state, each, settings);
  return state;
}

/** How far what it predicts is from the truth, for requests as they come. */
function worstError(learned: Rates, truth: Rates): number {
  let worst = 0;
  for (const each of observations(truth, 40, 99, 0)) {
    const predicted =
      learned.iterationSeconds * each.iterations +
      learned.perDecodingSeconds * each.decodingIterations +
      learned.perPromptTokenSeconds * each.promptTokens;
    worst = Math.max(worst, Math.abs(Math.log(predicted / each.seconds)));
  }
  return worst;
}

describe('rates learned from answers', () => {
  it.each([1, 2, 3, 4, 5])('are right within a tenth after sixty (run %d)', (seed) => {
    const { rates } = taught(observations(card, 60, seed));
    expect(worstError(rates, card)).toBeLessThan(0.1);
    expect(rates.perPromptTokenSeconds / card.perPromptTokenSeconds).toBeGreaterThan(0.9);
    expect(rates.perPromptTokenSeconds / card.perPromptTokenSeconds).toBeLessThan(1.1);
  });

  it.each([1, 2, 3, 4, 5])('stay right where one in ten takes twenty times as long (run %d)', (seed) => {
    const random = seededRandom(seed + 100);
    const seen = observations(card, 120, seed).map((each) =>
      random() < 0.1 ? { ...each, seconds: each.seconds * 20 } : each,
    );
    expect(worstError(taught(seen).rates, card)).toBeLessThan(0.15);
  });

  it('do not move for what is not trusted', () => {
    const state = freshRates(UNKNOWN_RATES);
    for (const each of observations(card, 40, 1)) {
      const deviation = learnRates(state, { ...each, trust: 0 }, settings);
      expect(Number.isFinite(deviation)).toBe(true);
    }
    expect(state).toEqual(freshRates(UNKNOWN_RATES));
  });

  it('keep the prior where nothing was ever seen of it', () => {
    const seen = observations(card, 100, 3).map((each) => ({ ...each, promptTokens: 0 }));
    expect(taught(seen).rates.perPromptTokenSeconds).toBeCloseTo(UNKNOWN_RATES.perPromptTokenSeconds, 6);
  });

  it('follow an engine that has become another one within seventy-five requests', () => {
    const slower = { iterationSeconds: 0.042, perDecodingSeconds: 0.0027, perPromptTokenSeconds: 0.0018 };
    const state = taught(observations(card, 300, 1));
    for (const each of observations(slower, 150, 2)) learnRates(state, each, settings);
    expect(worstError(state.rates, slower)).toBeLessThan(0.2);
  });

  it('reach an engine hundreds of times as fast as was guessed', () => {
    const fast = { iterationSeconds: 0.001, perDecodingSeconds: 0, perPromptTokenSeconds: 0 };
    const { rates } = taught(observations(fast, 40, 1));
    expect(rates.iterationSeconds).toBeLessThan(0.002);
    expect(rates.perPromptTokenSeconds * 500).toBeLessThan(0.002);
  });

  it.each([Number.NaN, 0, -1, Number.POSITIVE_INFINITY])('take no notice of a time of %d s', (seconds) => {
    const state = freshRates(UNKNOWN_RATES);
    const seen = { iterations: 1, decodingIterations: 0, promptTokens: 9, seconds, trust: 1 };
    expect(learnRates(state, seen, settings)).toBeNaN();
    expect(state).toEqual(freshRates(UNKNOWN_RATES));
  });

  it('stay positive and finite whatever is seen', () => {
    const any = fc.record({
      iterations: fc.double({ min: 0, max: 1e4, noNaN: true }),
      decodingIterations: fc.double({ min: 0, max: 1e6, noNaN: true }),
      promptTokens: fc.double({ min: 0, max: 1e6, noNaN: true }),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
      trust: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 60 }), (seen) => {
        const { rates } = taught(seen);
        for (const rate of Object.values(rates)) {
          expect(Number.isFinite(rate)).toBe(true);
          expect(rate).toBeGreaterThan(0);
        }
      }),
    );
  });
});

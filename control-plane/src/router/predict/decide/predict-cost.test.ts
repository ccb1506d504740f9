import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from '../predict-settings.js';
import {
  emptyLoad,
  emptyPrediction,
  type Prediction,
  type ReplicaLoad,
  type RequestSize,
} from '../predict-types.js';
import { predictCost } from './predict-cost.js';

const rates = { iterationSeconds: 0.02, perDecodingSeconds: 0.001, perPromptTokenSeconds: 0.0005 };
const weights = { firstToken: 1, answer: 0 };
const settings = defaultPredictSettings.cost;

function predict(
  load: Partial<ReplicaLoad> = {},
  request: Partial<RequestSize> = {},
  withWeights = weights,
): Prediction {
  const out = emptyPrediction();
  const size = { promptTokens: 400, cachedTokens: 0, answerTokens: 100, ...request };
  predictCost({ ...emptyLoad(), slots: 8, ...load }, rates, size, withWeights, settings, out);
  return out;
}

describe('the seconds that a request would take', () => {
  it('are one iteration and the reading of its prompt on an idle replica', () => {
    expect(predict().costSeconds).toBeCloseTo(0.02 + 400 * 0.0005, 9);
  });

  it('leave out what the engine has in its prefix cache', () => {
    expect(predict({}, { cachedTokens: 300 }).costSeconds).toBeCloseTo(0.02 + 100 * 0.0005, 9);
    expect(predict({}, { cachedTokens: 400 }).uncachedTokens).toBe(1);
  });

  it('count the backlog, the answers that slow each step, and half a step under way', () => {
    const busy = { decoding: 4, prefilling: 1, backlogTokens: 600 };
    const step = 0.02 + 4 * 0.001;
    expect(predict(busy).startSeconds).toBeCloseTo(1.5 * step + 1000 * 0.0005, 9);
  });

  it('believe that the backlog is read as time passes, but for a tenth', () => {
    const load = { prefilling: 1, backlogTokens: 1000 };
    expect(predict({ ...load, frontierAgeSeconds: 0.26 }).startSeconds).toBeCloseTo(0.03 + 900 * 0.0005, 9);
    expect(predict({ ...load, frontierAgeSeconds: 60 }).startSeconds).toBeCloseTo(0.03 + 500 * 0.0005, 9);
  });

  it('take as many iterations as the token budget makes of a long prompt', () => {
    expect(predict({}, { promptTokens: 2048 }).iterations).toBe(1);
    expect(predict({}, { promptTokens: 2049 }).iterations).toBe(2);
    expect(predict({ decoding: 8 }, { promptTokens: 2041 }).iterations).toBe(2);
  });

  it('wait for a slot that others hold', () => {
    expect(predict({ external: 7 }).queueSeconds).toBe(0);
    const load = { external: 9, meanAnswerTokens: 100 };
    expect(predict(load).queueSeconds).toBeCloseTo((2 / 8) * 100 * 0.028, 9);
  });

  it('wait for the cache to empty, and for what is dropped from it to be read again', () => {
    const load = { kvOwnTokens: 9_000, kvCapacityTokens: 10_000, decoding: 4, meanAnswerTokens: 100 };
    const freed = 9_000 / (100 * 0.024);
    expect(predict(load, { promptTokens: 900 }).queueSeconds).toBeCloseTo(500 / freed + 0.25, 9);
    expect(predict({ ...load, kvCapacityTokens: 20_000 }).queueSeconds).toBe(0);
  });

  it('double where only a full gauge tells of the cache', () => {
    const load = { kvUsageRatio: 0.95 };
    expect(predict(load).queueSeconds).toBe(predict(load).startSeconds);
    expect(predict({ kvUsageRatio: 0.9 }).queueSeconds).toBe(0);
  });

  it('end with the prompt where no answer is written', () => {
    const load = { kvUsageRatio: 0.99 };
    const all = { firstToken: 1, answer: 1 };
    const { costSeconds, answerSeconds, startSeconds } = predict(load, { answerTokens: 0 }, all);
    expect(answerSeconds).toBe(0);
    expect(costSeconds).toBe(startSeconds);
  });

  it('weigh the answer at the load that this request would make', () => {
    const { answerSeconds, costSeconds, startSeconds } = predict(
      { decoding: 3 },
      {},
      { firstToken: 1, answer: 0.05 },
    );
    expect(answerSeconds).toBeCloseTo(100 * (0.02 + 4 * 0.001), 9);
    expect(costSeconds).toBeCloseTo(startSeconds + 0.05 * answerSeconds, 9);
  });

  it('are multiplied by drift, and a cold engine is known to be slow at first', () => {
    expect(predict({ drift: 2, coldSeconds: 5 }).costSeconds).toBeCloseTo(2 * 0.22 + 5, 9);
  });

  it('are infinite where a figure is none', () => {
    expect(predict({ drift: Number.NaN }).costSeconds).toBe(Number.POSITIVE_INFINITY);
    expect(predict({ backlogTokens: Number.NaN }).costSeconds).toBe(Number.POSITIVE_INFINITY);
  });

  it('are those of the worked example in docs/routing.md', () => {
    const size = { promptTokens: 400, cachedTokens: 0, answerTokens: 150 };
    const clients = { firstToken: 1, answer: 0.05 };
    const out = emptyPrediction();
    const a = { iterationSeconds: 0.017, perDecodingSeconds: 0.0006, perPromptTokenSeconds: 0.00042 };
    const reading = { decoding: 5, prefilling: 1, backlogTokens: 900, frontierAgeSeconds: 0.2 };
    predictCost({ ...emptyLoad(), slots: 16, ...reading }, a, size, clients, settings, out);
    expect([out.startSeconds, out.answerSeconds, out.costSeconds]).toEqual([
      expect.closeTo(0.386, 3),
      expect.closeTo(3.18, 2),
      expect.closeTo(0.545, 3),
    ]);
    const b = { iterationSeconds: 0.014, perDecodingSeconds: 0.0009, perPromptTokenSeconds: 0.0006 };
    predictCost({ ...emptyLoad(), slots: 8, decoding: 2 }, b, size, clients, settings, out);
    expect(out.costSeconds).toBeCloseTo(0.389, 3);
    const busy = { decoding: 2, prefilling: 1, backlogTokens: 1_500 };
    predictCost({ ...emptyLoad(), slots: 8, ...busy }, b, size, clients, settings, out);
    expect(out.costSeconds).toBeCloseTo(1.3, 1);
  });

  const anyLoad = fc.record({
    decoding: fc.nat(40),
    prefilling: fc.nat(20),
    backlogTokens: fc.nat(40_000),
    frontierAgeSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
    external: fc.double({ min: 0, max: 40, noNaN: true }),
    kvOwnTokens: fc.nat(100_000),
    kvOtherTokens: fc.nat(100_000),
    kvCapacityTokens: fc.constantFrom(0, 20_000, 200_000),
    meanAnswerTokens: fc.nat(1_000),
  });
  const anySize = fc.record({
    promptTokens: fc.integer({ min: 1, max: 8_000 }),
    answerTokens: fc.nat(1_000),
  });
  const some = { firstToken: 1, answer: 0.05 };

  it('never fall as anything is added, and never rise with what is cached', () => {
    fc.assert(
      fc.property(anyLoad, anySize, fc.nat(5_000), (load, size, more) => {
        const before = predict(load, size, some).costSeconds;
        const least = before - 1e-9;
        expect(
          predict({ ...load, external: load.external + more }, size, some).costSeconds,
        ).toBeGreaterThanOrEqual(least);
        const longer = { ...size, promptTokens: size.promptTokens + more };
        expect(predict(load, longer, some).costSeconds).toBeGreaterThanOrEqual(least);
        const backlog = { ...load, frontierAgeSeconds: 0, backlogTokens: load.backlogTokens + more };
        const bare = predict({ ...load, frontierAgeSeconds: 0 }, size, some).costSeconds;
        expect(predict(backlog, size, some).costSeconds).toBeGreaterThanOrEqual(bare - 1e-9);
        expect(predict(load, { ...size, cachedTokens: more }, some).costSeconds).toBeLessThanOrEqual(
          before + 1e-9,
        );
        expect(before).toBeGreaterThan(0);
      }),
    );
  });
});

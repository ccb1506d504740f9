import { describe, expect, it } from 'vitest';
import { UNKNOWN_RATES } from './decide/guess-rates.js';
import { defaultPredictSettings } from './predict-settings.js';
import { Predictor } from './predictor.js';

const asker = { role: 'chat', key: 'key', choices: 2 };
const whole = { kind: 'whole', promptTokens: 10, completionTokens: 100, wasPaused: false } as const;
const size = { promptTokens: 100, cachedTokens: 0, answerTokens: 40 };

describe('the predictor', () => {
  it('learns lengths from every whole answer, a provider’s too, each of several by itself', () => {
    const away = new Predictor(defaultPredictSettings);
    const before = away.lengths.expect('chat', 'key', null);
    for (let answer = 0; answer < 30; answer++) away.sentAway(asker).ended(whole, answer);
    expect(away.lengths.expect('chat', 'key', null)).toBeLessThan(before / 2);
    expect(away.lengths.expect('chat', 'key', null)).toBeGreaterThan(35);
  });

  it('does not learn from what broke, or from embeddings', () => {
    const predictor = new Predictor(defaultPredictSettings);
    predictor.sentAway(asker).ended({ kind: 'broken' }, 1);
    predictor.sentAway(asker).ended({ ...whole, completionTokens: 0 }, 1);
    expect(predictor.lengths.keyCount).toBe(0);
  });

  it('counts what is sent at the model it is sent to', () => {
    const predictor = new Predictor(defaultPredictSettings);
    const model = predictor.modelFor(null, 4);
    expect(model.rates).toEqual(UNKNOWN_RATES);
    const work = predictor.sent(
      model,
      size,
      { promptBytes: 400, streams: true, choices: 1, believedTokens: 0 },
      asker,
      1_000,
    );
    expect(model.load(1_000)).toMatchObject({ prefilling: 1, backlogTokens: 100, slots: 4 });
    work.firstByte(1_100);
    work.progressed(3);
    work.ended(whole, 2_000);
    expect(model.load(2_000)).toMatchObject({ prefilling: 0, decoding: 0 });
  });
});

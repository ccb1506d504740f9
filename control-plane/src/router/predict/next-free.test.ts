import { describe, expect, it } from 'vitest';
import { defaultPredictSettings } from './predict-settings.js';
import { emptyPrediction } from './predict-types.js';
import { ReplicaModel } from './replica-model.js';
import type { Work } from './replica-work.js';

/** 10 ms an iteration, 1 ms more for each answer, 1 ms a prompt token. */
const rates = { iterationSeconds: 0.01, perDecodingSeconds: 0.001, perPromptTokenSeconds: 0.001 };

function send(model: ReplicaModel, answerTokens: number, nowMs: number, streams = true): Work {
  const size = { promptTokens: 100, cachedTokens: 0, answerTokens };
  const prediction = { ...emptyPrediction(), uncachedTokens: 100, startSeconds: 0.1, iterations: 1 };
  return model.sent({ size, promptBytes: 400, streams, choices: 1 }, prediction, nowMs);
}

/** What has come so far has moved the rates a little. */
function expectAbout(seconds: number | null, expected: number): void {
  expect((seconds ?? 0) / expected).toBeCloseTo(1, 1);
}

describe('when the first of its own requests should end', () => {
  it('is not known where none is under way', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    expect(model.nextFreeSeconds(0)).toBeNull();
    send(model, 100, 0).ended({ kind: 'broken' }, 1_000);
    expect(model.nextFreeSeconds(1_000)).toBeNull();
  });

  it('of one whose prompt is not read yet: after that, and its answer', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    send(model, 100, 0);
    expectAbout(model.nextFreeSeconds(0), 0.1 + 100 * 0.01);
  });

  it('of several: the one that has least left to write', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    const [long, short] = [send(model, 1_000, 0), send(model, 300, 0)];
    for (const work of [long, short]) work.firstByte(100);
    expectAbout(model.nextFreeSeconds(100), 300 * 0.012);
    // A hundred tokens later.
    expectAbout(model.nextFreeSeconds(1_300), 200 * 0.012);
    short.ended({ kind: 'broken' }, 1_300);
    expectAbout(model.nextFreeSeconds(1_300), (1_000 - 1_200 / 11) * 0.011);
  });

  it('of an answer that is longer than expected: at any moment, but not at once', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    send(model, 80, 0).firstByte(100);
    expectAbout(model.nextFreeSeconds(60_000), 10 * 0.011);
  });

  it('of a stream that tells its own pace: what it has not written yet, at that', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    const slow = send(model, 200, 0);
    slow.firstByte(100);
    slow.progressed(7);
    expectAbout(model.nextFreeSeconds(800), (200 - 700 / 11) * 0.011);
    // Ten times as slow as is thought of its engine, of which nothing was learned.
    slow.progressed(43);
    expectAbout(model.nextFreeSeconds(5_100), 150 * 0.1);
    expectAbout(model.nextFreeSeconds(10_100), 150 * 0.2);
    slow.progressed(250);
    expectAbout(model.nextFreeSeconds(30_100), 25 * 0.1);
  });

  it('of a whole answer, of which nothing is seen: since its prompt should be read', () => {
    const model = new ReplicaModel(rates, 4, defaultPredictSettings);
    send(model, 100, 0, false);
    expectAbout(model.nextFreeSeconds(650), (100 - 550 / 11) * 0.011);
  });
});

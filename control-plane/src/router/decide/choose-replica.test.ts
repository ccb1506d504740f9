import { describe, expect, it } from 'vitest';
import { defaultPredictSettings as settings } from '../predict/predict-settings.js';
import type { ReplicaLoad } from '../predict/predict-types.js';
import { replicaOf, requestOf, seededRandom } from '../testing/router-fixtures.js';
import { type CostTerms, chooseReplica, promptTokensOf } from './choose-replica.js';

const terms: CostTerms = { answerTokens: 200, weights: settings.weights, mayPace: true, isBehind: false };
const hints = { key: 'key', promptBytes: 1_600, streams: true, choices: 1 };
const request = requestOf({ hints });
const fast = { iterationSeconds: 0.01, perDecodingSeconds: 0.0002, perPromptTokenSeconds: 0.0001 };
const reading = (backlogTokens: number): Partial<ReplicaLoad> => ({ prefilling: 2, backlogTokens });

const choose = (replicas: Parameters<typeof replicaOf>[1][], more: Partial<CostTerms> = {}) =>
  chooseReplica(
    request,
    replicas.map((parts, index) => replicaOf(`r${index}`, parts)),
    { ...terms, ...more },
    seededRandom(1),
    settings,
  );

describe('a replica that has enough to read for now', () => {
  it('is passed over for one that has not', () => {
    expect(choose([{ load: reading(2_000) }, { load: { decoding: 3 } }]).index).toBe(1);
  });

  it('is passed over even where it would be somewhat sooner', () => {
    const rates = { iterationSeconds: 0.013, perDecodingSeconds: 0.0007, perPromptTokenSeconds: 0.0003 };
    const { index, costs } = choose([{ rates, load: reading(400) }, {}]);
    expect(costs[0]).toBeLessThan(costs[1] as number);
    expect(index).toBe(1);
  });

  it('is waited for where it would be much sooner all the same', () => {
    const { index, lookAgainInMs } = choose([
      { rates: fast, load: reading(1_500) },
      { load: { decoding: 6 } },
    ]);
    expect(index).toBe(-1);
    expect(lookAgainInMs).toBeCloseTo(1000 * (1.5 * 0.01 + 0.0001 * 1_900), 6);
  });

  it('is waited for where there is no other', () => {
    expect(choose([{ load: reading(2_000) }, { load: reading(3_000) }]).index).toBe(-1);
    expect(choose([{ load: reading(2_000) }]).index).toBe(-1);
  });

  it('gets it all the same where nothing may wait', () => {
    const { index, lookAgainInMs } = choose([{ load: reading(2_000) }, { load: reading(9_000) }], {
      mayPace: false,
    });
    expect(index).toBe(0);
    expect(lookAgainInMs).toBeNull();
  });
});

it('who comes behind others that wait does not overtake them', () => {
  expect(choose([{}, {}], { isBehind: true }).index).toBe(-1);
  expect(choose([{}, {}], { isBehind: true, mayPace: false }).index).toBeGreaterThanOrEqual(0);
});

it('the look comes again also where nothing can be predicted', () => {
  const { index, lookAgainInMs } = choose([{ load: { drift: Number.NaN, decoding: Number.NaN } }], {
    isBehind: true,
  });
  expect(index).toBe(-1);
  expect(lookAgainInMs).toBeGreaterThan(0);
});

describe('the length of a prompt', () => {
  it('is what its bytes make at the density of this engine’s prompts', () => {
    expect(promptTokensOf(request, 4, settings)).toBe(400);
    expect(promptTokensOf(request, 3.2, settings)).toBe(500);
  });

  it('is the gateway’s rough count where bytes say nothing, else the usual', () => {
    const blind = { ...hints, promptBytes: null };
    expect(promptTokensOf(requestOf({ hints: blind, estimatedPromptTokens: 77 }), 4, settings)).toBe(77);
    expect(promptTokensOf(requestOf({ hints: blind }), 4, settings)).toBe(settings.tokens.unknownPrompt);
  });
});

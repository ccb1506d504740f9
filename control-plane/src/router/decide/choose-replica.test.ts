import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { defaultPredictSettings as settings } from '../predict/predict-settings.js';
import type { ReplicaLoad } from '../predict/predict-types.js';
import { replicaOf, requestOf } from '../testing/router-fixtures.js';
import { type CostTerms, chooseReplica, promptTokensOf } from './choose-replica.js';

const terms: CostTerms = {
  answerTokens: 200,
  weights: settings.weights,
  mayPace: true,
  isBehind: false,
  past: null,
};
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

describe('what an engine has of the prompt already', () => {
  const past = (credits: readonly number[], favoured = -1) => ({
    credits: Float64Array.from(credits),
    favoured,
  });

  it('need not be read: it is cheaper there, as far as that is to be believed', () => {
    const replicas = [{ number: 0 }, { number: 1, hitTrust: 1 }, { number: 2, hitTrust: 0.5 }];
    const { index, costs } = choose(replicas, { past: past([0, 1_200, 1_200]) });
    expect(index).toBe(1);
    const saved = (at: number): number => (costs[0] as number) - (costs[at] as number);
    expect(saved(1)).toBeCloseTo(300 * 0.0005, 9);
    expect(saved(2)).toBeCloseTo(150 * 0.0005, 9);
  });

  it('and who served the session is preferred among those that are about as good', () => {
    const replicas = [{ number: 5 }, { number: 3, load: { decoding: 1 } }, { number: 4 }];
    const { index, isFavoured } = choose(replicas, { past: past([0, 0, 0, 0, 0, 0], 3) });
    expect([index, isFavoured]).toEqual([1, true]);
    const busy = [{ number: 5 }, { number: 3, load: { decoding: 3, prefilling: 1, backlogTokens: 4_000 } }];
    expect(choose(busy, { past: past([0, 0, 0, 0, 0, 0], 3), mayPace: false })).toMatchObject({
      index: 0,
      isFavoured: false,
    });
  });
});

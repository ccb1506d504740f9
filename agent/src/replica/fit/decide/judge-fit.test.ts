import { type FitVerdict, replicaFitSchema, type VllmReplica } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyFallbacks, argumentValue, cardCountOf } from './apply-fallbacks.js';
import { type FitCard, foreignBytes, freeBytes } from './card-memory.js';
import { estimateModel } from './estimate-model.js';
import { type FitQuestion, judgeFit, memoryRatio } from './judge-fit.js';

const GIB = 1024 ** 3;
const card = (more: Partial<FitCard> = {}): FitCard => ({
  uuid: 'GPU-0',
  index: 0,
  totalBytes: 8 * GIB,
  usedBytes: 0,
  ownBytes: 0,
  otherReplicasBytes: 0,
  loading: false,
  wddm: false,
  footprintBytes: null,
  ...more,
});
const question = (model: string, more: Partial<FitQuestion> = {}): FitQuestion => ({
  model,
  task: 'chat',
  gpu: { select: 'any' },
  contextTokens: 8_192,
  maxConcurrent: 4,
  gpuMemoryRatio: null,
  cardCount: 1,
  estimate: estimateModel({ model, quantization: null, kvCacheType: null }),
  ...more,
});
const verdict = (asked: FitQuestion, ...cards: readonly FitCard[]): FitVerdict =>
  judgeFit(asked, cards).fit.verdict;

describe('what a model took before', () => {
  const asked = question('Qwen/Qwen3-8B-AWQ', { maxConcurrent: 1 });

  it.each([0, 1024 ** 2, 2 * GIB])(
    'is not believed where it is less than the weights alone: %d bytes',
    (bytes) => {
      expect(judgeFit(asked, [card({ footprintBytes: bytes })]).fit).toEqual(judgeFit(asked, [card()]).fit);
    },
  );

  it('is believed from the weights on, and of each of several cards its part', () => {
    expect(verdict(asked, card({ footprintBytes: 7 * GIB }))).toBe('fits');
    const pair = [
      card({ footprintBytes: 4 * GIB }),
      card({ uuid: 'GPU-1', index: 1, footprintBytes: 4 * GIB }),
    ];
    expect(judgeFit({ ...asked, cardCount: 2 }, pair).fit).toMatchObject({ neededBytes: 4 * GIB });
  });
});

describe('whether a model fits', () => {
  it.each<[string, number, number, number, FitVerdict]>([
    // model, card in GiB, used in GiB, requests at once, verdict
    ['Qwen/Qwen2.5-3B-Instruct-AWQ', 8, 0, 4, 'fits'],
    ['Qwen/Qwen2.5-3B-Instruct-AWQ', 8, 2, 4, 'fits'],
    ['Qwen/Qwen2.5-3B-Instruct-AWQ', 8, 2, 16, 'tight'],
    ['Qwen/Qwen2.5-3B-Instruct-AWQ', 8, 6, 4, 'does_not_fit'],
    ['Qwen/Qwen2.5-3B-Instruct', 8, 0, 1, 'does_not_fit'],
    ['Qwen/Qwen2.5-7B-Instruct-AWQ', 8, 0, 1, 'does_not_fit'],
    ['Qwen/Qwen2.5-7B-Instruct-AWQ', 12, 0, 4, 'fits'],
    ['Qwen/Qwen2.5-7B-Instruct-AWQ', 12, 2, 4, 'tight'],
    ['Qwen/Qwen2.5-7B-Instruct', 12, 0, 1, 'does_not_fit'],
    ['Qwen/Qwen2.5-7B-Instruct', 24, 0, 8, 'fits'],
    ['Qwen/Qwen3-4B-AWQ', 8, 0, 1, 'fits'],
    ['Qwen/Qwen3-8B-AWQ', 8, 0, 1, 'does_not_fit'],
    ['Qwen/Qwen3-8B-AWQ', 12, 0, 1, 'fits'],
    ['Qwen/Qwen3-8B-AWQ', 12, 0, 8, 'tight'],
    ['Qwen/Qwen3-0.6B', 8, 0, 2, 'fits'],
    ['BAAI/bge-m3', 8, 0, 256, 'fits'],
    ['openai/whisper-large-v3-turbo', 8, 0, 16, 'fits'],
    ['meta-llama/Llama-3.1-70B-Instruct', 24, 0, 1, 'does_not_fit'],
    ['org/unknown', 8, 0, 1, 'unknown'],
  ])('%s on %d GiB with %d used, %d at once: %s', (model, total, used, maxConcurrent, expected) => {
    const there = card({ totalBytes: total * GIB, usedBytes: used * GIB });
    expect(verdict(question(model, { maxConcurrent }), there)).toBe(expected);
  });

  it('what would make it fit does', () => {
    for (const model of ['Qwen/Qwen3-4B-AWQ', 'Qwen/Qwen2.5-3B-Instruct-AWQ', 'Qwen/Qwen3-1.7B']) {
      for (let usedGib = 0; usedGib < 8; usedGib += 0.25) {
        const there = card({ usedBytes: usedGib * GIB });
        const asked = question(model, { contextTokens: 32_768, maxConcurrent: 16 });
        const { settings, fit } = judgeFit(asked, [there]);
        expect(settings !== null).toBe(fit.verdict === 'tight');
        if (settings === null) continue;
        const { contextTokens, maxConcurrent } = settings;
        const smaller = {
          ...asked,
          contextTokens: contextTokens ?? asked.contextTokens,
          maxConcurrent: maxConcurrent ?? asked.maxConcurrent,
        };
        expect(verdict(smaller, there)).toBe('fits');
        expect(fit.detail).toContain('It would fit with');
      }
    }
  });

  it('what was learnt of it counts before what its name says', () => {
    const asked = question('Qwen/Qwen2.5-7B-Instruct-AWQ', { maxConcurrent: 1 });
    expect(verdict(asked, card({ footprintBytes: 7 * GIB }))).toBe('fits');
    expect(verdict(asked, card({ footprintBytes: 7 * GIB, usedBytes: 2 * GIB }))).toBe('does_not_fit');
    expect(verdict(question('org/unknown'), card({ footprintBytes: 5 * GIB }))).toBe('fits');
    // It took more when more was free: that says nothing against less.
    expect(
      verdict(question('Qwen/Qwen3-0.6B', { maxConcurrent: 1 }), card({ footprintBytes: 8 * GIB })),
    ).toBe('fits');
  });

  it('its own container gives back what it holds', () => {
    const asked = question('Qwen/Qwen2.5-3B-Instruct-AWQ');
    expect(verdict(asked, card({ usedBytes: 7 * GIB }))).toBe('does_not_fit');
    expect(verdict(asked, card({ usedBytes: 7 * GIB, ownBytes: 6.5 * GIB }))).toBe('fits');
  });

  it('texts that are only read need one context, however many wait', () => {
    const asked = question('Qwen/Qwen3-Embedding-0.6B', { maxConcurrent: 64 });
    expect(verdict({ ...asked, task: 'embeddings' }, card())).toBe('fits');
    expect(verdict({ ...asked, task: 'rerank' }, card())).toBe('fits');
    expect(verdict(asked, card())).toBe('tight');
  });

  it('the declared share of the card is all it can have', () => {
    const asked = (gpuMemoryRatio: number) => question('Qwen/Qwen2.5-3B-Instruct-AWQ', { gpuMemoryRatio });
    expect(verdict(asked(0.9), card())).toBe('fits');
    expect(verdict(asked(0.3), card())).toBe('does_not_fit');
  });

  it.each<[Partial<FitCard>, FitVerdict]>([
    [{ totalBytes: null }, 'unknown'],
    [{ usedBytes: null }, 'unknown'],
    [{ wddm: true, loading: true }, 'unknown'],
    [{ wddm: true }, 'fits'],
    [{ loading: true }, 'fits'],
  ])('a card of which %j: %s', (more, expected) => {
    expect(verdict(question('Qwen/Qwen3-0.6B'), card(more))).toBe(expected);
  });

  it('without a card it is no matter of a card', () => {
    expect(judgeFit(question('Qwen/Qwen3-8B', { gpu: { select: 'none' }, cardCount: 0 }), [])).toMatchObject({
      fit: { verdict: 'fits' },
      cards: [],
    });
  });
});

describe('which card', () => {
  const small = card({ uuid: 'GPU-a', index: 0 });
  const large = card({ uuid: 'GPU-b', index: 1, totalBytes: 12 * GIB });
  const busy = card({ uuid: 'GPU-c', index: 2, totalBytes: 24 * GIB, usedBytes: 20 * GIB });
  const chosen = (asked: Partial<FitQuestion>) =>
    judgeFit(question('Qwen/Qwen2.5-3B-Instruct-AWQ', asked), [small, large, busy]).cards;

  it('is the one that fits with the most room', () => {
    expect(chosen({})).toEqual(['GPU-b']);
    expect(judgeFit(question('Qwen/Qwen3-0.6B'), [card({ uuid: 'GPU-y', index: 1 }), small]).cards).toEqual([
      'GPU-a',
    ]);
  });

  it('is the one that was declared, whether it fits or not', () => {
    expect(chosen({ gpu: { select: 'uuid', uuid: 'gpu-A' } })).toEqual(['GPU-a']);
    expect(chosen({ gpu: { select: 'index', index: 2 } })).toEqual(['GPU-c']);
  });

  it('is none where the declared one is not there, and that is told', () => {
    const judged = judgeFit(question('Qwen/Qwen3-0.6B', { gpu: { select: 'index', index: 7 } }), [small]);
    expect(judged).toMatchObject({ cards: [], fit: { verdict: 'does_not_fit' } });
    expect(judged.fit.detail).toContain('0 GPU-a');
    expect(verdict(question('Qwen/Qwen3-0.6B'))).toBe('does_not_fit');
  });

  it('are several where the model is split', () => {
    const asked = question('Qwen/Qwen2.5-7B-Instruct', { cardCount: 2, maxConcurrent: 1 });
    const pair = [
      card({ uuid: 'GPU-1', totalBytes: 16 * GIB }),
      card({ uuid: 'GPU-2', index: 1, totalBytes: 16 * GIB }),
    ];
    expect(judgeFit(asked, pair)).toMatchObject({ cards: ['GPU-1', 'GPU-2'], fit: { verdict: 'fits' } });
    expect(judgeFit(asked, pair.slice(1))).toMatchObject({ cards: [], fit: { verdict: 'does_not_fit' } });
  });
});

describe('the share of a card that the engine is told', () => {
  it.each<[number | null, Partial<FitCard>, number | null]>([
    [null, {}, 0.92],
    [0.5, {}, 0.5],
    [null, { usedBytes: 2 * GIB }, 0.71],
    [0.9, { usedBytes: 2 * GIB }, 0.71],
    [0.5, { usedBytes: 2 * GIB }, 0.5],
    [null, { usedBytes: 8 * GIB }, 0.05],
    [null, { usedBytes: null }, null],
    [0.8, { totalBytes: null }, 0.8],
  ])('declared %s, on a card with %j: %s', (declared, more, expected) => {
    expect(memoryRatio(declared, card(more))).toBe(expected);
  });
});

describe('what is free and what is foreign', () => {
  it.each<[Partial<FitCard>, number | null, number | null]>([
    [{ usedBytes: 3 * GIB }, 5, 3],
    [{ usedBytes: 3 * GIB, otherReplicasBytes: 2 * GIB }, 5, 1],
    [{ usedBytes: 3 * GIB, otherReplicasBytes: 4 * GIB }, 5, 0],
    [{ usedBytes: 3 * GIB, ownBytes: 1 * GIB }, 6, 2],
    [{ usedBytes: 3 * GIB, wddm: true, otherReplicasBytes: 2 * GIB }, 5, 1],
    [{ usedBytes: 3 * GIB, wddm: true, loading: true }, null, null],
    [{ usedBytes: null }, null, null],
  ])('%j: %s and %s GiB', (more, free, foreign) => {
    const gib = (bytes: number | null) => (bytes === null ? null : bytes / GIB);
    expect(gib(freeBytes(card(more)))).toBe(free);
    expect(gib(foreignBytes(card(more)))).toBe(foreign);
  });
});

describe('whatever is asked', () => {
  const bytes = fc.option(fc.integer({ min: 0, max: 100 * GIB }), { nil: null });
  const anyCard: fc.Arbitrary<FitCard> = fc.record({
    uuid: fc.constantFrom('GPU-0', 'GPU-1', 'GPU-2'),
    index: fc.nat({ max: 3 }),
    totalBytes: bytes,
    usedBytes: bytes,
    ownBytes: fc.nat({ max: 8 * GIB }),
    otherReplicasBytes: fc.nat({ max: 8 * GIB }),
    loading: fc.boolean(),
    wddm: fc.boolean(),
    footprintBytes: bytes,
  });
  const anyQuestion = fc.record({
    model: fc.oneof(fc.constantFrom('Qwen/Qwen3-8B-AWQ', 'org/m-70b', 'org/x'), fc.string({ maxLength: 60 })),
    contextTokens: fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: null }),
    maxConcurrent: fc.integer({ min: 1, max: 64 }),
    gpuMemoryRatio: fc.option(fc.double({ min: 0.05, max: 0.98, noNaN: true }), { nil: null }),
    cardCount: fc.integer({ min: 1, max: 3 }),
  });

  it('the answer is one that can be told, with as many cards as were asked for or none', () => {
    fc.assert(
      fc.property(anyQuestion, fc.array(anyCard, { maxLength: 4 }), (asked, cards) => {
        const judged = judgeFit(question(asked.model, asked), cards);
        expect(replicaFitSchema.safeParse(judged.fit).success).toBe(true);
        expect([0, asked.cardCount]).toContain(judged.cards.length);
        for (const each of cards) {
          const ratio = memoryRatio(asked.gpuMemoryRatio, each);
          if (ratio !== null) expect(ratio).toBeLessThanOrEqual(Math.max(0.92, asked.gpuMemoryRatio ?? 0));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('more room never makes it fit worse, and more requests never better', () => {
    const rank = { fits: 0, tight: 1, does_not_fit: 2, unknown: 3 };
    fc.assert(
      fc.property(anyQuestion, fc.nat({ max: 24 }), fc.nat({ max: 24 }), (asked, used, less) => {
        const one = { ...question(asked.model, asked), cardCount: 1 };
        const there = card({ totalBytes: 24 * GIB, usedBytes: used * GIB });
        const emptier = card({ totalBytes: 24 * GIB, usedBytes: Math.max(0, used - less) * GIB });
        expect(rank[verdict(one, emptier)]).toBeLessThanOrEqual(rank[verdict(one, there)]);
        const more = { ...one, maxConcurrent: one.maxConcurrent + 1 };
        expect(rank[verdict(more, there)]).toBeGreaterThanOrEqual(rank[verdict(one, there)]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('fallbacks', () => {
  const desired = {
    ...{
      contextTokens: 8_192,
      maxConcurrent: 8,
      gpuMemoryRatio: null,
      gpu: { select: 'any' },
      extraArguments: [],
    },
    fallbacks: [
      { contextTokens: 4_096 },
      { maxConcurrent: 2 },
      { contextTokens: 2_048, gpuMemoryRatio: 0.7 },
    ],
  } as unknown as VllmReplica;

  it.each([
    [0, 8_192, 8, null],
    [1, 4_096, 8, null],
    [2, 4_096, 2, null],
    [3, 2_048, 2, 0.7],
    [9, 2_048, 2, 0.7],
  ])(
    '%i steps down: %i tokens, %i at once, share %s',
    (rung, contextTokens, maxConcurrent, gpuMemoryRatio) => {
      expect(applyFallbacks(desired, rung)).toMatchObject({ contextTokens, maxConcurrent, gpuMemoryRatio });
    },
  );

  it.each<[readonly string[], number]>([
    [[], 1],
    [['--tensor-parallel-size', '2'], 2],
    [['--tensor_parallel_size=2'], 2],
    [['--tensor-parallel-size=2', '--pipeline-parallel-size=2'], 4],
    [['--tensor-parallel-size', 'many'], 1],
    [['--tensor-parallel-size'], 1],
    [['--tensor-parallel-size=0'], 1],
  ])('%j: %i cards', (extraArguments, count) => {
    expect(cardCountOf({ ...desired, extraArguments: [...extraArguments] })).toBe(count);
  });

  it('of an option that is given twice the last value counts', () => {
    expect(argumentValue(['--a', '1', '--a=2'], '--a')).toBe('2');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GrowthFacts, judgeGrowth } from './judge-growth.js';

const GIB = 1024 ** 3;
const facts: GrowthFacts = {
  ...{ downloadBytes: 9 * GIB, weightsBytes: 5 * GIB, weightsAreGuessed: false },
  ...{ freeBytes: 100 * GIB, virtualDisk: false },
};
const judge = (more: Partial<GrowthFacts>) => judgeGrowth({ ...facts, ...more });

describe('how a disk will grow', () => {
  it('is told in bytes before anything is fetched', () => {
    expect(judge({})).toEqual({
      growth: {
        ...{ imageBytes: 22.5 * GIB, weightsBytes: 5 * GIB, freeBytes: 100 * GIB },
        detail: 'The image: 9.0 GiB to fetch, some 22.5 GiB unpacked. The weights: 5.0 GiB to fetch.',
      },
      refusal: null,
    });
    expect(judge({ downloadBytes: 0, weightsBytes: 0 }).growth.detail).toBe(
      'The image is here. The weights are whole in the cache.',
    );
    expect(judge({ downloadBytes: null, weightsBytes: null }).growth).toMatchObject({
      ...{ imageBytes: null, weightsBytes: null },
      detail: 'The image: its registry does not tell its size. The weights: their size is not known.',
    });
  });

  it('is refused with the numbers where the least that is certain does not fit', () => {
    expect(judge({ freeBytes: 13 * GIB }).refusal).toBe(
      'It needs at least 9.0 GiB for the image and 5.0 GiB for the weights; where the container engine stores, 13.0 GiB are free. Nothing was fetched.',
    );
    expect(judge({ downloadBytes: 0, freeBytes: 4 * GIB }).refusal).toContain(
      'at least 5.0 GiB for the weights;',
    );
    expect(judge({ freeBytes: 14 * GIB }).refusal).toBeNull();
  });

  it('is only warned of where it rests on an estimate', () => {
    const unpacked = judge({ freeBytes: 20 * GIB });
    expect(unpacked.refusal).toBeNull();
    expect(unpacked.growth.detail).toContain('That may not fit: 20.0 GiB are free');
    const guessed = judge({ downloadBytes: 0, freeBytes: 4 * GIB, weightsAreGuessed: true });
    expect(guessed.refusal).toBeNull();
    expect(guessed.growth.detail).toContain('some 5.0 GiB, by the model’s name');
  });

  it('names the virtual disk that keeps what it grew to', () => {
    expect(judge({ virtualDisk: true }).growth.detail).toContain('does not shrink by itself');
    expect(judge({ virtualDisk: true, downloadBytes: 0, weightsBytes: 0 }).growth.detail).not.toContain(
      'WSL',
    );
  });

  it('is never refused for what is not known, and its words are bounded', () => {
    const bytes = fc.option(fc.integer({ min: 0, max: 1e13 }), { nil: null });
    const any = fc.record({
      ...{ downloadBytes: bytes, weightsBytes: bytes, freeBytes: bytes },
      ...{ weightsAreGuessed: fc.boolean(), virtualDisk: fc.boolean() },
    });
    fc.assert(
      fc.property(any, (known) => {
        const { growth, refusal } = judgeGrowth(known);
        expect(growth.detail.length).toBeLessThanOrEqual(500);
        if (known.freeBytes === null) expect(refusal).toBeNull();
        if (known.downloadBytes === null && known.weightsBytes === null) expect(refusal).toBeNull();
      }),
    );
  });
});

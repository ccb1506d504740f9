import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CardBaseline,
  type CardSample,
  type ForeignUse,
  judgeForeignUse,
  NO_BASELINE,
  type OwnUse,
} from './judge-foreign-use.js';

const GB = 1e9;
const COUNTS = 1.5 * GB;
const NOTHING: OwnUse = { kind: 'steady', signature: '', bytes: 0, busy: false };
const serving = (more: Partial<Extract<OwnUse, { kind: 'steady' }>> = {}): OwnUse => ({
  ...{ kind: 'steady', signature: 'qwen running c1', bytes: 6 * GB, busy: false },
  ...more,
});

/** A card over time. */
class Card {
  nowMs = 0;
  baseline: CardBaseline = NO_BASELINE;
  use: ForeignUse = { vramBytes: null, utilisationRatio: null };

  show(own: OwnUse, usedGb: number | null, seconds = 2, utilisationRatio: number | null = 0): ForeignUse {
    const sample: CardSample = {
      usedBytes: usedGb === null ? null : usedGb * GB,
      totalBytes: 12 * GB,
      utilisationRatio,
    };
    for (let passed = 0; passed < seconds; passed += 2) {
      this.nowMs += 2_000;
      const judged = judgeForeignUse(this.baseline, sample, own, COUNTS, this.nowMs);
      this.baseline = judged.baseline;
      this.use = judged.use;
    }
    return this.use;
  }

  get foreignGb(): number {
    return Math.round((this.use.vramBytes ?? Number.NaN) / 1e7) / 100;
  }
}

describe('what others use of a card', () => {
  test('is nothing while only the desktop is there', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    expect(card.foreignGb).toBe(0);
  });

  test('is what a game takes beyond the desktop', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 600);
    card.show(NOTHING, 5.9);
    expect(card.foreignGb).toBe(5);
  });

  test('is seen although the game ran before the first look', () => {
    const card = new Card();
    card.show(NOTHING, 7);
    expect(card.foreignGb).toBeGreaterThanOrEqual(4);
  });

  test('of a large card may be more before it is no desktop any more', () => {
    const sample = { usedBytes: 5 * GB, totalBytes: 24 * GB, utilisationRatio: 0 };
    expect(judgeForeignUse(NO_BASELINE, sample, NOTHING, COUNTS, 0).use.vramBytes).toBe(0);
  });

  test('does not become the desktop, however long it runs', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    card.show(NOTHING, 5.9, 8 * 3_600);
    expect(card.foreignGb).toBe(5);
  });

  test('below what counts becomes the desktop slowly, and is forgotten fast', () => {
    const card = new Card();
    card.show(NOTHING, 0.5, 60);
    card.show(NOTHING, 1.3, 60);
    expect(card.foreignGb).toBeGreaterThan(0.6);
    card.show(NOTHING, 1.3, 7_200);
    expect(card.foreignGb).toBeLessThan(0.05);
    card.show(NOTHING, 0.5, 300);
    card.show(NOTHING, 1.3);
    expect(card.foreignGb).toBeGreaterThan(0.7);
  });

  test('does not creep into the desktop step by step beyond a quarter of the card', () => {
    const card = new Card();
    for (let usedGb = 1; usedGb <= 6; usedGb += 0.5) card.show(NOTHING, usedGb, 3_600);
    expect(card.foreignGb).toBeGreaterThan(2.9);
  });

  test('is not what an own engine takes', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    card.show({ kind: 'moving' }, 4, 30);
    expect(card.use).toEqual({ vramBytes: null, utilisationRatio: null });
    card.show(serving(), 6.9, 30);
    expect(card.foreignGb).toBe(0);
    card.show(serving(), 9);
    expect(card.foreignGb).toBeCloseTo(2.1, 1);
  });

  test('is told though nobody knows what the own engine takes', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    card.show({ kind: 'moving' }, 4, 30);
    const unknown = serving({ bytes: null });
    card.show(unknown, 6.9, 30);
    expect(card.foreignGb).toBe(0);
    card.show(unknown, 9);
    expect(card.foreignGb).toBeCloseTo(2.1, 1);
  });

  test('is not what an engine takes more with its first requests', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    card.show(serving(), 6.9, 30);
    card.show(serving({ busy: true }), 7.6, 30);
    card.show(serving(), 7.6, 30);
    expect(card.foreignGb).toBe(0);
    card.show(serving({ busy: true }), 11);
    expect(card.foreignGb).toBeGreaterThan(2.5);
  });

  test('begins anew with another run of the engine', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 60);
    card.show(serving(), 6.9, 10);
    card.show(serving({ signature: 'qwen running c2', bytes: 5 * GB }), 5.9);
    expect(card.foreignGb).toBe(0);
  });

  test('is not told by a work of ours', () => {
    const card = new Card();
    card.show(serving({ busy: true }), 6.9, 4, 0.98);
    expect(card.use.utilisationRatio).toBeNull();
    card.show(serving(), 6.9, 4, 0);
    expect(card.show(serving(), 6.9, 2, 0.9).utilisationRatio).toBeGreaterThan(0.8);
  });

  test('is less by the work that the desktop usually does, which has an end', () => {
    const card = new Card();
    card.show(NOTHING, 0.9, 3_600, 0.1);
    expect(card.show(NOTHING, 0.9, 2, 0.5).utilisationRatio).toBeCloseTo(0.4, 1);
    const busy = new Card();
    busy.show(NOTHING, 0.9, 3_600, 0.9);
    expect(busy.use.utilisationRatio).toBeCloseTo(0.7, 5);
  });

  test('cannot be told of a card whose driver does not tell', () => {
    const card = new Card();
    card.show(NOTHING, null, 2, null);
    expect(card.use).toEqual({ vramBytes: null, utilisationRatio: null });
    expect(card.baseline.desktopBytes).toBeNull();
  });

  test('is judged by what was learnt before a sleep', () => {
    const card = new Card();
    card.show(NOTHING, 0.5, 60);
    card.nowMs += 12 * 3_600_000;
    card.show(NOTHING, 1.3);
    expect(card.foreignGb).toBeGreaterThan(0.75);
  });

  test('is never negative, and the desktop never more than a share of the card', () => {
    const step = fc.record({
      used: fc.option(fc.double({ min: 0, max: 24, noNaN: true })),
      busy: fc.boolean(),
      kind: fc.constantFrom('none', 'moving', 'known', 'unknown'),
      utilisation: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const card = new Card();
        for (const { used, busy, kind, utilisation } of steps) {
          const own =
            kind === 'moving'
              ? ({ kind } as const)
              : serving({ signature: kind, bytes: { none: 0, known: 6 * GB, unknown: null }[kind], busy });
          const { vramBytes, utilisationRatio } = card.show(own, used, 2, utilisation);
          expect(vramBytes ?? 0).toBeGreaterThanOrEqual(0);
          expect(vramBytes ?? 0).toBeLessThanOrEqual((used ?? 0) * GB);
          expect(utilisationRatio ?? 0).toBeGreaterThanOrEqual(0);
          expect(card.baseline.desktopBytes ?? 0).toBeLessThanOrEqual(3.01 * GB);
        }
      }),
      { numRuns: 200 },
    );
  });
});

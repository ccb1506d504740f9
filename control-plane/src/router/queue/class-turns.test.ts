import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClassTurns, RANKS, type Rank, rankOf } from './class-turns.js';

/** Whose turn it is, and spends it. */
function next(turns: ClassTurns, waiting: readonly Rank[]): Rank {
  const chosen = waiting.toSorted((a, b) => turns.pointOf(a) - turns.pointOf(b) || a - b)[0] as Rank;
  turns.spent(chosen);
  return chosen;
}

function begun(...ranks: readonly Rank[]): ClassTurns {
  const turns = new ClassTurns();
  for (const rank of ranks) turns.began(rank);
  return turns;
}

describe('turns of classes', () => {
  it('are eight, four and one of thirteen', () => {
    const turns = begun(...RANKS);
    const taken = Array.from({ length: 26 }, () => next(turns, RANKS));
    expect(RANKS.map((rank) => taken.slice(0, 13).filter((each) => each === rank).length)).toEqual([8, 4, 1]);
    expect(RANKS.map((rank) => taken.slice(13).filter((each) => each === rank).length)).toEqual([8, 4, 1]);
  });

  it('are all of one that waits alone, which has lost nothing by it when others come', () => {
    const turns = begun(2);
    for (let turn = 0; turn < 50; turn += 1) expect(next(turns, [2])).toBe(2);
    turns.began(0);
    const taken = Array.from({ length: 9 }, () => next(turns, [0, 2]));
    expect(taken.indexOf(2)).toBeLessThanOrEqual(8);
  });

  it('cannot be saved up, and not be had twice by leaving and coming again', () => {
    const turns = begun(0);
    for (let turn = 0; turn < 100; turn += 1) next(turns, [0]);
    turns.began(2);
    for (let turn = 0; turn < 8; turn += 1) expect(next(turns, [0, 2])).toBe(0);
    expect(next(turns, [0, 2])).toBe(2);
    turns.began(2);
    expect(next(turns, [0, 2])).toBe(0);
  });

  it('come to every class that waits within thirteen, whoever comes and goes beside it', () => {
    const step = fc.record({ coming: fc.constantFrom<Rank>(0, 1), isThere: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), fc.nat(40), (steps, before) => {
        const turns = begun(0, 1);
        for (let turn = 0; turn < before; turn += 1) next(turns, [0, 1]);
        turns.began(2);
        const waiting = new Set<Rank>([0, 1, 2]);
        let since = 0;
        for (const { coming, isThere } of steps) {
          if (isThere && !waiting.has(coming)) turns.began(coming);
          if (isThere) waiting.add(coming);
          else waiting.delete(coming);
          since = next(turns, [...waiting]) === 2 ? 0 : since + 1;
          expect(since).toBeLessThanOrEqual(12);
        }
      }),
    );
  });

  it('knows classes by their names', () => {
    expect([rankOf('interactive'), rankOf('normal'), rankOf('batch')]).toEqual([0, 1, 2]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Rank } from './class-turns.js';
import { PacedWaits } from './paced-waits.js';

describe('who waits for prompts that are read first', () => {
  /** How many newcomers of a class may go ahead in a row. */
  function goAhead(waits: PacedWaits, rank: Rank): number {
    let ahead = 0;
    for (; ahead < 100 && !waits.isBehind('chat', rank); ahead += 1) waits.newcomerWent('chat');
    return ahead;
  }

  it.each<[waiting: Rank[], newcomer: Rank, ahead: number]>([
    [[], 2, 100],
    [[0], 0, 0],
    [[0], 2, 0],
    [[1], 0, 2],
    [[2], 0, 8],
    [[2], 1, 4],
    [[1, 2], 0, 2],
    [[0, 2], 1, 0],
  ])('where classes %j wait, of class %i go ahead: %i', (waiting, newcomer, ahead) => {
    const waits = new PacedWaits();
    for (const rank of waiting) waits.joined('chat', rank);
    expect(goAhead(waits, newcomer)).toBe(ahead);
    expect(waits.isBehind('another role', newcomer)).toBe(false);
  });

  it('is passed by anew once one of them has gone, and by everybody once all have', () => {
    const waits = new PacedWaits();
    for (const rank of [2, 2] as const) waits.joined('chat', rank);
    expect(goAhead(waits, 0)).toBe(8);
    waits.left('chat', 2);
    expect(goAhead(waits, 0)).toBe(8);
    waits.left('chat', 2);
    waits.left('chat', 2);
    expect(goAhead(waits, 2)).toBe(100);
  });
});

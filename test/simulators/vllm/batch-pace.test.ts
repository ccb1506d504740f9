import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { BatchPace, type PacedWork } from './batch-pace.js';

const shape = {
  ...{ iterationMs: 10, decodingMs: 1, promptTokenMs: 0.5, kvTokens: 10_000, slots: 4 },
  ...{ tokensPerIteration: 2048, mostWaiting: null },
};

function workOf(promptTokens: number, answerTokens: number): PacedWork {
  return { promptTokens, answerTokens, pieces: [], leaves: null, tokens: 0, onToken: () => undefined };
}

describe('an engine that batches, by the clock', () => {
  it('brings tokens at the end of its iterations, however late it is called', () => {
    const clock = new ManualClock();
    const pace = new BatchPace(shape, clock);
    const work = workOf(100, 4);
    pace.begin(work);
    clock.advance(59);
    expect(work.tokens).toBe(0);
    clock.advance(1);
    expect(work.tokens).toBe(1);
    clock.advance(22);
    expect(work.tokens).toBe(3);
    clock.advance(1_000);
    expect([work.tokens, clock.pendingTimers]).toEqual([4, 0]);
  });

  it('goes on without who leaves', () => {
    const clock = new ManualClock();
    const pace = new BatchPace(shape, clock);
    const [first, second] = [workOf(100, 50), workOf(100, 50)];
    pace.begin(first);
    pace.begin(second);
    clock.advance(150);
    pace.leave(first);
    const had = first.tokens;
    clock.advance(10_000);
    expect([first.tokens - had, second.tokens]).toEqual([0, 50]);
  });
});

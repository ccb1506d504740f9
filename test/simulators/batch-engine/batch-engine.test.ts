import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { capacityPerSecond, cards } from '../../bench/routing/cards.js';
import { BatchEngine, type EngineWork } from './batch-engine.js';
import type { EngineShape } from './engine-shape.js';

const shape: EngineShape = {
  ...{ iterationMs: 10, decodingMs: 1, promptTokenMs: 0.5 },
  ...{ kvTokens: 10_000, slots: 2, tokensPerIteration: 2048, mostWaiting: null },
};

interface Work extends EngineWork {
  readonly name: string;
}

function workOf(name: string, promptTokens: number, answerTokens: number, more: Partial<Work> = {}): Work {
  return { name, promptTokens, answerTokens, pieces: [], leaves: null, ...more };
}

/** Runs an engine over arrivals to its end, and notes what came when. */
function run(engine: BatchEngine<Work>, arrivals: readonly { readonly atMs: number; readonly work: Work }[]) {
  const first = new Map<string, number>();
  const whole = new Map<string, number>();
  const kvRatios: number[] = [];
  const observer = {
    firstToken: ({ name }: Work, nowMs: number) => void first.set(name, nowMs),
    whole: ({ name }: Work, nowMs: number) => void whole.set(name, nowMs),
  };
  const ahead = [...arrivals];
  for (;;) {
    const next = ahead[0];
    if (next !== undefined && next.atMs < engine.endsAtMs) {
      ahead.shift();
      engine.push(next.work, next.atMs);
      kvRatios.push(engine.gauges(next.atMs).kvUsageRatio);
    } else if (engine.endsAtMs === Number.POSITIVE_INFINITY) return { first, whole, kvRatios };
    else engine.end(observer);
  }
}

const together = (...work: Work[]) => work.map((each) => ({ atMs: 0, work: each }));

describe('an engine that batches continuously', () => {
  it('takes for an iteration what its requests make of it', () => {
    const { first, whole } = run(new BatchEngine(shape), together(workOf('a', 100, 3)));
    // 10 + 100 × 0.5 for the prompt and the first token; 10 + 1 for each further token.
    expect(first.get('a')).toBe(60);
    expect(whole.get('a')).toBe(82);
  });

  it('computes a long prompt in chunks of what an iteration holds', () => {
    const { first } = run(new BatchEngine(shape), together(workOf('a', 3000, 1)));
    expect(first.get('a')).toBe(2 * 10 + 3000 * 0.5);
  });

  it('delays who decodes by the prompt of who comes', () => {
    const arrivals = [
      { atMs: 0, work: workOf('a', 100, 3) },
      { atMs: 1, work: workOf('b', 200, 1) },
    ];
    const { first, whole } = run(new BatchEngine(shape), arrivals);
    // b is taken in when the first iteration ends, at 60: 10 + 1 + 200 × 0.5.
    expect(first.get('b')).toBe(171);
    expect(whole.get('a')).toBe(182);
  });

  it('takes in who came first when a slot is free', () => {
    const { first } = run(
      new BatchEngine(shape),
      together(workOf('a', 10, 50), workOf('b', 10, 50), workOf('c', 10, 5), workOf('d', 10, 5)),
    );
    expect([...first.keys()]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('refuses who finds as many waiting as may', () => {
    const engine = new BatchEngine<Work>({ ...shape, slots: 1, mostWaiting: 1 });
    expect(['a', 'b', 'c'].map((name) => engine.push(workOf(name, 10, 10), 0))).toEqual([true, true, false]);
  });

  it('pushes out the latest when the KV cache is full, and ends it all the same', () => {
    const engine = new BatchEngine<Work>({ ...shape, kvTokens: 300 });
    const { whole } = run(engine, together(workOf('a', 100, 120), workOf('b', 100, 120)));
    expect(engine.preemptions).toBeGreaterThan(0);
    expect([...whole.keys()]).toEqual(['a', 'b']);
  });

  it('shows in its gauges how it is at that moment, in the middle of many iterations too', () => {
    const engine = new BatchEngine<Work>({ ...shape, slots: 1 });
    engine.push(workOf('a', 100, 101), 0);
    engine.push(workOf('b', 100, 10), 0);
    engine.end({ firstToken: () => undefined, whole: () => undefined });
    expect(engine.gauges(60)).toEqual({ running: 1, waiting: 1, kvUsageRatio: 0.01 });
    expect(engine.gauges(60 + 50 * 11).kvUsageRatio).toBeCloseTo(0.015);
  });

  it('tells every token once, however many iterations it does at once', () => {
    const tokens = new Map<string, number>();
    const add = ({ name }: Work, count: number) => void tokens.set(name, (tokens.get(name) ?? 0) + count);
    const engine = new BatchEngine<Work>({ ...shape, kvTokens: 300 });
    for (const name of ['a', 'b', 'c']) engine.push(workOf(name, 100, 120), 0);
    const observer = { furtherTokens: add, firstToken: (work: Work) => add(work, 1), whole: () => undefined };
    while (engine.endsAtMs < Number.POSITIVE_INFINITY) engine.end(observer);
    expect(engine.preemptions).toBeGreaterThan(0);
    expect(tokens).toEqual(new Map(['a', 'b', 'c'].map((name) => [name, 120])));
  });

  it('goes on without one that nobody wants any more', () => {
    const engine = new BatchEngine<Work>(shape);
    const [a, b, c] = [workOf('a', 100, 30), workOf('b', 100, 5), workOf('c', 10, 5)];
    for (const work of [a, b, c]) engine.push(work, 0);
    engine.drop(a);
    engine.drop(c);
    expect([...run(engine, []).whole.keys()]).toEqual(['b']);
    expect(engine.gauges(0).kvUsageRatio).toBe(0);
  });

  it('loses all that it has in a crash', () => {
    const engine = new BatchEngine<Work>(shape);
    for (const name of ['a', 'b', 'c']) engine.push(workOf(name, 10, 10), 0);
    expect(engine.crash().map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect([engine.requests, engine.endsAtMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it('is slow once after a cold start', () => {
    const engine = new BatchEngine<Work>(shape);
    engine.chill(5_000);
    const { first, whole } = run(engine, together(workOf('a', 100, 2)));
    expect([first.get('a'), whole.get('a')]).toEqual([5_060, 5_071]);
  });

  it('can be copied and run on without noticing', () => {
    const engine = new BatchEngine<Work>(shape);
    engine.push(workOf('a', 100, 20), 0);
    const before = [engine.endsAtMs, engine.gauges(0)];
    run(engine.copy(), together(workOf('b', 100, 5)));
    expect([engine.endsAtMs, engine.gauges(0)]).toEqual(before);
    expect([...run(engine, []).whole.keys()]).toEqual(['a']);
  });
});

describe('the prefix cache of an engine', () => {
  const system = { id: 'system', tokens: 160 };
  const shared = (name: string, more: Partial<Work> = {}) =>
    workOf(name, 200, 2, { pieces: [system], ...more });

  it('computes a shared beginning once', () => {
    const arrivals = [
      { atMs: 0, work: shared('a') },
      { atMs: 1_000, work: shared('b') },
    ];
    const { first } = run(new BatchEngine(shape), arrivals);
    expect(first.get('a')).toBe(10 + 200 * 0.5);
    expect(first.get('b')).toBe(1_000 + 10 + 40 * 0.5);
  });

  it('counts a shared beginning once while two use it', () => {
    const engine = new BatchEngine<Work>(shape);
    const arrivals = [
      { atMs: 0, work: shared('a', { answerTokens: 200 }) },
      { atMs: 500, work: shared('b', { answerTokens: 200 }) },
      { atMs: 560, work: workOf('c', 8, 1) },
    ];
    const { kvRatios } = run(engine, arrivals);
    expect(kvRatios[2]).toBeLessThan((160 + 2 * (40 + 60)) / shape.kvTokens);
  });

  it('knows what a turn leaves for the next one', () => {
    const leaves = { id: 'turn 1', tokens: 48 };
    const engine = new BatchEngine<Work>(shape);
    run(engine, together(workOf('a', 40, 8, { leaves })));
    expect(engine.uncachedTokens(workOf('b', 100, 1, { pieces: [leaves] }))).toBe(52);
  });

  it('gives up what was not used for longest when requests need the room', () => {
    const engine = new BatchEngine<Work>({ ...shape, kvTokens: 500, slots: 1 });
    const leaves = (id: string) => ({ id, tokens: 160 });
    run(
      engine,
      together(
        workOf('a', 150, 10, { leaves: leaves('old') }),
        workOf('b', 150, 10, { leaves: leaves('new') }),
      ),
    );
    run(engine, together(workOf('c', 300, 10)));
    const left = (id: string) => engine.uncachedTokens(workOf('d', 200, 1, { pieces: [leaves(id)] }));
    expect([left('old'), left('new')]).toEqual([200, 40]);
  });
});

describe('many iterations at once', () => {
  it.each([1, 2, 3, 4, 5])('gives what one at a time gives, seed %i', (seed) => {
    const random = seededRandom(seed);
    let atMs = 0;
    const pieces = [{ id: 'system', tokens: 64 }];
    const arrivals = Array.from({ length: 150 }, (_, index) => {
      atMs += -Math.log(1 - random()) * 150;
      const isShared = random() < 0.3;
      const work = workOf(`${index}`, 70 + Math.floor(random() * 400), 1 + Math.floor(random() * 60), {
        pieces: isShared ? pieces : [],
      });
      return { atMs, work };
    });
    const small = { ...shape, kvTokens: 1_200, slots: 6 };
    const ahead = new BatchEngine<Work>(small);
    const stepwise = new BatchEngine<Work>(small, false);
    const bounded = new BatchEngine<Work>(small, true, 100);
    const slow = run(stepwise, arrivals);
    for (const engine of [ahead, bounded]) {
      const quick = run(engine, arrivals);
      expect(quick.whole.size).toBe(150);
      expect(engine.preemptions).toBe(stepwise.preemptions);
      for (const [name, endMs] of slow.whole) expect(quick.whole.get(name)).toBeCloseTo(endMs, 3);
      for (const [name, firstMs] of slow.first) expect(quick.first.get(name)).toBeCloseTo(firstMs, 3);
      expect(Math.max(...quick.kvRatios)).toBeLessThanOrEqual(1);
    }
  });
});

describe('what an engine can serve', () => {
  it('is what saturated engines end, within some percent', () => {
    const engine = new BatchEngine<Work>(cards.rtx4070s);
    const arrivals = Array.from({ length: 400 }, (_, index) => ({
      atMs: 0,
      work: workOf(`${index}`, 400, 120),
    }));
    const { whole } = run(engine, arrivals);
    const perSecond = (400 / Math.max(...whole.values())) * 1_000;
    expect(perSecond / capacityPerSecond(cards.rtx4070s, 400, 120)).toBeCloseTo(1, 1);
  });
});

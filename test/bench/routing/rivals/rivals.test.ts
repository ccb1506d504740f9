import { type EngineReading, emptyEngineReading } from '@ai-fabric/shared';
import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { BatchEngine, type EngineWork } from '../../../simulators/batch-engine/batch-engine.js';
import { cards } from '../cards.js';
import { EventQueue, LabClock } from '../event-queue.js';
import type { LabPolicy, LabPort, NamedPolicy } from '../lab-policy.js';
import type { LabRequest } from '../workload.js';
import { llmD } from './llm-d.js';
import { oracle } from './oracle.js';
import { sglangCacheAware } from './sglang-cache-aware.js';
import { leastInFlight, powerOfTwo, randomChoice, roundRobin } from './simple-rivals.js';

/** A port to three replicas that answer when the test says so. */
class Bench implements LabPort {
  readonly clock = new LabClock(new EventQueue());
  readonly random = seededRandom(1);
  readonly replicas = ['a', 'b', 'c'].map((deployment) => ({
    ...{ deployment, shape: cards.rtx4070s, capacityPerSecond: 1 },
  }));
  readonly engines = this.replicas.map(({ shape }) => new BatchEngine<EngineWork>(shape));
  readonly sent: number[] = [];
  readonly away = new Set<number>();
  readonly truth = {
    engine: (replica: number) => this.engines[replica] ?? new BatchEngine<EngineWork>(cards.big),
    phase: () => 'ready' as const,
  };
  givenUp = 0;
  readonly policy: LabPolicy;

  constructor(policy: NamedPolicy) {
    this.policy = policy.create(this);
  }

  isReady(replica: number): boolean {
    return !this.away.has(replica);
  }

  send(_request: LabRequest, replica: number): void {
    this.sent.push(replica);
  }

  giveUp(): void {
    this.givenUp += 1;
  }

  defer(run: () => void): void {
    run();
  }

  /** A request arrives. @returns it, and where it was sent */
  arrive(more: Partial<LabRequest> = {}): { readonly request: LabRequest; readonly to: number | undefined } {
    const request = requestOf(more);
    this.policy.arrive(request);
    return { request, to: this.sent.at(-1) };
  }

  /** Where so many requests in a row are sent. */
  spread(count: number, more: Partial<LabRequest> = {}): (number | undefined)[] {
    return Array.from({ length: count }, () => this.arrive(more).to);
  }

  reading(replica: number, more: Partial<EngineReading>): void {
    this.policy.reading?.(replica, { ...emptyEngineReading, ...more });
  }
}

function requestOf(more: Partial<LabRequest> = {}): LabRequest {
  return {
    ...{ index: 0, atMs: 0, promptTokens: 100, answerTokens: 10, estimatedPromptTokens: 100 },
    ...{ isStreamed: true, conversation: null, pieces: [], leaves: null },
    ...more,
  };
}

describe('round robin', () => {
  it('takes each in its turn, whatever it has', () => {
    expect(new Bench(roundRobin).spread(5)).toEqual([0, 1, 2, 0, 1]);
  });
});

describe('random', () => {
  it('takes each about as often', () => {
    const to = new Bench(randomChoice).spread(600);
    for (const replica of [0, 1, 2]) {
      const times = to.filter((each) => each === replica).length;
      expect(times).toBeGreaterThan(150);
      expect(times).toBeLessThan(250);
    }
  });
});

describe('least in-flight', () => {
  it('takes who has the fewest of ours', () => {
    const bench = new Bench(leastInFlight);
    const first = [bench.arrive(), bench.arrive(), bench.arrive()];
    expect(new Set(first.map(({ to }) => to))).toEqual(new Set([0, 1, 2]));
    const done = first[1];
    if (done?.to !== undefined) bench.policy.whole?.(done.request, done.to);
    expect(bench.arrive().to).toBe(done?.to);
  });
});

describe('power of two choices', () => {
  it('never takes the one with the most, where loads differ', () => {
    const bench = new Bench(powerOfTwo);
    bench.spread(300);
    const counts = [0, 1, 2].map((replica) => bench.sent.filter((to) => to === replica).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(12);
  });
});

describe("llm-d's weights", () => {
  it.each([
    ['the shorter queue', [{ waiting: 5 }, { waiting: 0 }, { waiting: 5 }], 1],
    [
      'the emptier cache where queues are equal',
      [{ kvUsageRatio: 0.5 }, { kvUsageRatio: 0.4 }, { kvUsageRatio: 0.1 }],
      2,
    ],
    [
      'a queue as much as a cache',
      [
        { waiting: 1, kvUsageRatio: 0 },
        { waiting: 0, kvUsageRatio: 0.99 },
        { waiting: 1, kvUsageRatio: 1 },
      ],
      1,
    ],
  ])('take %s', (_, readings, expected) => {
    const bench = new Bench(llmD);
    for (const [replica, reading] of readings.entries()) bench.reading(replica, reading);
    expect(bench.arrive().to).toBe(expected);
  });

  it('take a known prefix before both: 3 against 2', () => {
    const bench = new Bench(llmD);
    const pieces = [{ id: 'system', tokens: 100 }];
    const home = bench.arrive({ pieces }).to ?? -1;
    bench.reading(home, { waiting: 9, kvUsageRatio: 0 });
    expect(bench.arrive({ pieces }).to).toBe(home);
    expect(bench.arrive().to).not.toBe(home);
  });
});

describe("SGLang's cache-aware policy", () => {
  it('takes who was sent most of the prompt before, above a half', () => {
    const bench = new Bench(sglangCacheAware);
    const pieces = [{ id: 'system', tokens: 60 }];
    const home = bench.arrive({ pieces }).to;
    expect(bench.spread(5, { pieces })).toEqual(Array(5).fill(home));
  });

  it('takes who was sent the least where nothing matches', () => {
    const bench = new Bench(sglangCacheAware);
    const long = bench.arrive({ promptTokens: 5_000 }).to;
    expect(bench.spread(20)).not.toContain(long);
  });

  it('takes who has the fewest once loads are far apart', () => {
    const bench = new Bench(sglangCacheAware);
    const pieces = [{ id: 'system', tokens: 90 }];
    const home = bench.arrive({ pieces }).to;
    const to = bench.spread(40, { pieces });
    expect(to.slice(0, 30)).toEqual(Array(30).fill(home));
    expect(to.at(-1)).not.toBe(home);
  });
});

describe('the oracle', () => {
  it('sends to where the first token comes first, by what engines really hold', () => {
    const bench = new Bench(oracle);
    bench.engines[0]?.push(requestOf({ promptTokens: 4_000 }), 0);
    bench.engines[2]?.push(requestOf({ promptTokens: 2_000 }), 0);
    expect(bench.spread(3)).toEqual([1, 1, 1]);
  });
});

describe('all rivals', () => {
  it('leave out who is not ready', () => {
    const bench = new Bench(roundRobin);
    bench.away.add(1);
    expect(bench.spread(4)).toEqual([0, 2, 0, 2]);
  });

  it('try another when one fails, and leave that one out for ten seconds', () => {
    const bench = new Bench(roundRobin);
    const { request } = bench.arrive();
    bench.policy.failed(request, 0, 'refused', true);
    expect(bench.sent).toEqual([0, 2]);
    expect(bench.spread(3)).not.toContain(0);
    bench.clock.moveTo(10_000);
    expect(bench.spread(3)).toContain(0);
  });

  it('give up what cannot be tried again, and what all have refused', () => {
    const bench = new Bench(roundRobin);
    const cut = bench.arrive();
    bench.policy.failed(cut.request, 0, 'cut_off', false);
    expect(bench.givenUp).toBe(1);
    const { request } = bench.arrive();
    for (let tries = 0; tries < 3; tries += 1)
      bench.policy.failed(request, bench.sent.at(-1) ?? 0, 'full', true);
    expect(bench.givenUp).toBe(2);
  });
});

import { seededRandom } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNKNOWN_RATES } from './decide/guess-rates.js';
import { isPaced } from './decide/judge-pace.js';
import { predictCost } from './decide/predict-cost.js';
import { emptyPrediction } from './predict-types.js';
import { ReplicaModel } from './replica-model.js';
import type { Work, WorkEnd } from './replica-work.js';
import {
  broken,
  ended,
  fresh,
  send,
  serve,
  settings,
  sizeOf,
  weights,
  whole,
} from './testing/model-moves.js';

describe('what is under way at a replica', () => {
  it('is a prompt to be read, then an answer to be written, then nothing', () => {
    const model = fresh();
    const work = send(model, 1_000, 400);
    expect(model.load(1_000)).toMatchObject({
      prefilling: 1,
      backlogTokens: 400,
      decoding: 0,
      kvOwnTokens: 450,
    });
    work.firstByte(1_300);
    expect(model.load(1_300)).toMatchObject({
      prefilling: 0,
      backlogTokens: 0,
      decoding: 1,
      meanAnswerTokens: 100,
    });
    work.ended(whole, 2_000);
    expect(model.load(2_000)).toMatchObject({
      prefilling: 0,
      decoding: 0,
      kvOwnTokens: 0,
      meanAnswerTokens: 0,
    });
    expect(model.open).toBe(0);
  });

  it('takes a whole answer’s prompt for read once its predicted start has passed', () => {
    const model = fresh();
    send(model, 0, 400, { streams: false, startSeconds: 0.4 });
    send(model, 100, 200, { streams: false, startSeconds: 0.2 });
    expect(model.load(399)).toMatchObject({ prefilling: 2, decoding: 0 });
    // The second was sent behind the first: it cannot have begun before it.
    expect(model.load(400)).toMatchObject({ prefilling: 0, decoding: 2 });
  });

  it('does not wait for ever for a stream that hangs', () => {
    const model = fresh();
    const hung = send(model, 0, 4_000, { startSeconds: 2 });
    expect(model.load(7_999)).toMatchObject({ prefilling: 1, decoding: 0 });
    expect(model.load(8_000)).toMatchObject({ prefilling: 0, backlogTokens: 0, decoding: 1 });
    hung.firstByte(9_000);
    expect(model.load(9_000)).toMatchObject({ prefilling: 0, decoding: 1 });
    hung.ended(broken, 9_500);
    expect(model.load(9_500)).toMatchObject({ prefilling: 0, decoding: 0, kvOwnTokens: 0 });
  });

  it('knows since when the engine works on the backlog alone', () => {
    const model = fresh();
    const first = send(model, 0, 400);
    send(model, 100, 400);
    expect(model.load(300).frontierAgeSeconds).toBeCloseTo(0.3, 9);
    first.firstByte(350);
    expect(model.load(500).frontierAgeSeconds).toBeCloseTo(0.15, 9);
  });

  it('ends once', () => {
    const model = fresh();
    const [one, other] = [send(model, 0, 100), send(model, 0, 100)];
    one.ended(broken, 10);
    one.ended(whole, 20);
    one.firstByte(30);
    one.progressed(5);
    expect(model.load(30)).toMatchObject({ prefilling: 1, decoding: 0 });
    other.ended(broken, 40);
    expect(model.open).toBe(0);
  });

  it('counts what others hold in the cache, less with age, and half of it where nobody ever told', () => {
    const model = fresh();
    send(model, 0, 950);
    model.cacheIs(0.8, 10_000, 1);
    expect(model.load(0)).toMatchObject({
      kvOtherTokens: 7_000,
      kvUsageRatio: 0.8,
      kvCapacityTokens: 10_000,
    });
    model.cacheIs(0.8, 10_000, 0.5);
    expect(model.load(0)).toMatchObject({ kvOtherTokens: 3_500, kvUsageRatio: -1 });
    model.cacheIs(null, null, 0);
    expect(model.load(0)).toMatchObject({ kvOtherTokens: 4_000, kvUsageRatio: -1 });
  });
});

type Move =
  | { readonly kind: 'send'; readonly tokens: number; readonly streams: boolean; readonly start: number }
  | { readonly kind: 'first' | 'progress' | 'whole' | 'broken'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number };

interface Told {
  readonly work: Work;
  readonly tokens: number;
  readonly streams: boolean;
  readonly sentAt: number;
  readonly dueMs: number;
  hasBegun: boolean;
}

/** The same, counted from all that is open; slow, and too simple to be wrong. */
class Recount {
  readonly open: Told[] = [];
  #due = { stream: Number.NEGATIVE_INFINITY, whole: Number.NEGATIVE_INFINITY };

  due(streams: boolean, ownDueMs: number): number {
    const kind = streams ? 'stream' : 'whole';
    this.#due[kind] = Math.max(this.#due[kind], ownDueMs);
    return this.#due[kind];
  }

  /** What was due before the last one that is still unread says nothing of the next. */
  settle(nowMs: number): void {
    for (const kind of ['stream', 'whole'] as const) {
      const unread = this.open.filter(
        (told) => told.streams === (kind === 'stream') && !told.hasBegun && told.dueMs > nowMs,
      );
      this.#due[kind] = unread.at(-1)?.dueMs ?? Number.NEGATIVE_INFINITY;
    }
  }

  sums(nowMs: number) {
    const unread = this.open.filter(({ hasBegun, dueMs }) => !hasBegun && dueMs > nowMs);
    return {
      prefilling: unread.length,
      decoding: this.open.length - unread.length,
      backlogTokens: unread.reduce((sum, { tokens }) => sum + tokens, 0),
      kvOwnTokens: this.open.reduce((sum, { tokens }) => sum + tokens + 50, 0),
    };
  }
}

class Moves {
  readonly model = fresh();
  readonly recount = new Recount();
  nowMs = 1_000;

  make(move: Move): void {
    const { model, recount } = this;
    recount.settle(this.nowMs);
    switch (move.kind) {
      case 'wait':
        this.nowMs += move.ms;
        return;
      case 'send': {
        const { tokens, streams, start } = move;
        const work = send(model, this.nowMs, tokens, { streams, startSeconds: start / 1000 });
        const ownDueMs = this.nowMs + (streams ? Math.max(4 * start, 1_000) : start);
        const dueMs = recount.due(streams, ownDueMs);
        recount.open.push({ work, tokens, streams, sentAt: this.nowMs, dueMs, hasBegun: false });
        return;
      }
      default: {
        if (recount.open.length === 0) return;
        const at = move.pick % recount.open.length;
        const told = recount.open[at] as Told;
        if (move.kind === 'progress') told.work.progressed(1);
        else if (move.kind === 'first') {
          told.work.firstByte(this.nowMs);
          if (told.streams) told.hasBegun = true;
        } else {
          told.work.ended(move.kind === 'whole' ? ended(20) : broken, this.nowMs);
          recount.open.splice(at, 1);
        }
      }
    }
  }

  check(): void {
    expect(this.model.load(this.nowMs)).toMatchObject(this.recount.sums(this.nowMs));
    expect(this.model.open).toBe(this.recount.open.length);
  }
}

describe('however requests begin, progress, end and break', () => {
  const pick = fc.nat(1_000);
  const move: fc.Arbitrary<Move> = fc.oneof(
    fc.record({
      kind: fc.constant('send' as const),
      tokens: fc.integer({ min: 1, max: 8_000 }),
      streams: fc.boolean(),
      start: fc.nat(3_000),
    }),
    fc.record({ kind: fc.constantFrom('first', 'progress', 'whole', 'broken'), pick }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1_500) }),
  );

  it('the sums are those of what is open', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        const run = new Moves();
        for (const each of moves) {
          run.make(each);
          run.check();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('also after a hundred thousand of them', () => {
    const random = seededRandom(11);
    const run = new Moves();
    const kinds = ['first', 'progress', 'whole', 'broken'] as const;
    for (let step = 0; step < 100_000; step++) {
      const draw = random();
      if (draw < 0.4 && run.recount.open.length < 24) {
        const [tokens, start] = [1 + Math.floor(random() * 4_000), Math.floor(random() * 2_000)];
        run.make({ kind: 'send', tokens, streams: random() < 0.7, start });
      } else if (draw < 0.8) {
        run.make({ kind: kinds[Math.floor(random() * 4)] as 'first', pick: Math.floor(random() * 1_000) });
      } else run.make({ kind: 'wait', ms: Math.floor(random() * 400) });
      if (step % 997 === 0) run.check();
    }
    for (const { work } of run.recount.open.splice(0)) work.ended(broken, run.nowMs);
    run.check();
    const { rates } = run.model;
    for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0);
  });
});

describe('what is learned of a replica', () => {
  it('is its rates, from streams and whole answers alike', () => {
    const model = fresh();
    serve(model, 60, seededRandom(5));
    const out = emptyPrediction();
    predictCost(model.load(1e9), model.rates, sizeOf(1_000), weights, settings.cost, out);
    expect(out.startSeconds).toBeGreaterThan(0.9 * (0.014 * 1.5 + 0.6));
    expect(out.startSeconds).toBeLessThan(1.1 * (0.014 * 1.5 + 0.6));
    expect(out.answerSeconds / (100 * 0.0149)).toBeGreaterThan(0.9);
    expect(out.answerSeconds / (100 * 0.0149)).toBeLessThan(1.15);
  });

  it('is not touched by what broke, was read slowly, or asked for several answers', () => {
    const model = fresh();
    const ends: readonly [WorkEnd, number][] = [
      [broken, 1],
      [{ ...ended(50), wasPaused: true }, 1],
      [ended(50), 2],
    ];
    for (const [end, choices] of ends)
      send(model, 1_000, 100, { streams: false, choices }).ended(end, 90_000);
    expect(model.learned.observations).toBe(0);
  });

  it('leaves the first answers after a start out, and knows that the first one is slow', () => {
    const model = fresh();
    model.becameReady(0);
    expect(model.load(0).coldSeconds).toBe(5);
    expect(model.load(10_000).coldSeconds).toBe(2.5);
    send(model, 10_000, 100, { streams: false }).ended(ended(20), 20_000);
    expect(model.learned.observations).toBe(0);
    expect(model.load(20_000)).toMatchObject({ coldSeconds: 0, drift: 1 });
    expect(model.learned.firstRequestSeconds).toBeGreaterThan(5);
    send(model, 20_000, 100, { streams: false }).ended(ended(20), 21_000);
    send(model, 21_000, 100, { streams: false }).ended(ended(20), 22_000);
    expect(model.learned.observations).toBe(1);
  });

  it('expects nothing of the kind of an engine that may have served for long', () => {
    const model = fresh();
    model.becameReady(0, false);
    expect(model.load(0).coldSeconds).toBe(0);
  });

  it('is how many bytes make a token', () => {
    const model = fresh();
    for (let answer = 0; answer < 300; answer++) {
      const work = send(model, answer * 100, 100, { promptBytes: 300, streams: false });
      work.ended({ ...ended(20), promptTokens: 100 }, answer * 100 + 50);
    }
    expect(model.bytesPerToken).toBeCloseTo(3, 1);
  });

  it('is not replaced by a better guess, and a guess is', () => {
    const model = fresh();
    const guess = { iterationSeconds: 0.01, perDecodingSeconds: 0.001, perPromptTokenSeconds: 0.0001 };
    model.learned.adoptPrior(guess, null);
    expect(model.rates).toEqual(guess);
    serve(model, 1, seededRandom(1));
    const learned = { ...model.rates };
    model.learned.adoptPrior(UNKNOWN_RATES, null);
    expect(model.rates).toEqual(learned);
  });

  it('shows in drift where the engine is slower than it was, and passes', () => {
    const model = fresh();
    const soonMs = serve(model, 80, seededRandom(5));
    expect(model.load(soonMs).drift).toBe(1);
    let laterMs = soonMs;
    for (let answer = 0; answer < 12; answer++) {
      const work = send(model, laterMs, 100);
      work.firstByte(laterMs + 3 * 81);
      work.ended(ended(5), laterMs + 3 * 81 + 100);
      laterMs += 400;
    }
    expect(model.load(laterMs).drift).toBeGreaterThan(1.3);
    expect(model.load(laterMs + 60_000).drift).toBe(1);
  });

  it('shows in drift before any answer ends, where streams are slow', () => {
    const model = fresh();
    const nowMs = serve(model, 80, seededRandom(5));
    const work = send(model, nowMs, 100);
    work.firstByte(nowMs + 90);
    model.load(nowMs + 90);
    for (let token = 1; token <= 160; token++) {
      work.progressed(1);
      model.load(nowMs + 90 + token * 60);
    }
    expect(model.load(nowMs + 90 + 160 * 60).drift).toBeGreaterThan(1.5);
  });
});

it('sixty-four connections on an engine that answers in a millisecond are never held back after forty answers', () => {
  const model = new ReplicaModel(UNKNOWN_RATES, 64, settings);
  const prediction = emptyPrediction();
  const open: { work: Work; untilMs: number }[] = [];
  let [nowMs, answers, heldBack] = [0, 0, 0];
  for (let request = 0; request < 4_000; request++) {
    if (open.length === 64) {
      const next = open.shift();
      nowMs = Math.max(nowMs, next?.untilMs ?? 0);
      next?.work.ended(ended(16), nowMs);
      answers += 1;
    }
    nowMs += 1 / 64;
    const load = model.load(nowMs);
    predictCost(load, model.rates, sizeOf(30, 16), weights, settings.cost, prediction);
    if (answers >= 40 && isPaced(load, prediction, settings.pace)) heldBack += 1;
    const sent = { size: sizeOf(30, 16), promptBytes: 120, streams: false, choices: 1 };
    open.push({ work: model.sent(sent, prediction, nowMs), untilMs: nowMs + 1 });
  }
  expect(heldBack).toBe(0);
});

import { ManualClock } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import { recordingLog } from '../testing/fake-fabric.js';
import { AnswerLengths } from './answer-lengths.js';
import { UNKNOWN_RATES } from './decide/guess-rates.js';
import { type KeptEngine, type LearnedChange, LearnedKeeper, type LearnedMemory } from './learned-keeper.js';
import { defaultPredictSettings } from './predict-settings.js';
import { emptyPrediction } from './predict-types.js';
import { ReplicaModel } from './replica-model.js';

const settings = defaultPredictSettings;
const CARD = 'NVIDIA GeForce RTX 2080';

/** Where it is kept, in memory. */
class Memory implements LearnedMemory {
  readonly rates = new Map<string, { host: string; model: string; image: string; state: string }>();
  readonly lengths = new Map<string, { role: string; key: string; state: string }>();
  saves = 0;

  load() {
    return { rates: [...this.rates.values()].toReversed(), lengths: [...this.lengths.values()] };
  }

  save(change: LearnedChange): void {
    this.saves += 1;
    if (change.kind === 'answerLengths') this.lengths.set(`${change.role} ${change.key}`, change);
    else if (change.kind === 'learnedRates') this.rates.set(`${change.host} ${change.image}`, change);
    else for (const [key, { host }] of this.rates) if (host === change.host) this.rates.delete(key);
  }
}

function engineOf(host = 'armitage', image = 'vllm:1', card: string | null = CARD): KeptEngine {
  return {
    identity: { host, model: 'org/qwen-7b', image },
    facts: { card, cardMemoryBytes: null, model: 'org/qwen-7b' },
    model: new ReplicaModel(UNKNOWN_RATES, 8, settings),
  };
}

/** Answers of an engine that needs 50 ms an iteration. */
function serve({ model }: KeptEngine, answers: number, fromMs = 0): void {
  for (let answer = 0; answer < answers; answer++) {
    const sentMs = fromMs + answer * 10_000;
    const size = { promptTokens: 100, cachedTokens: 0, answerTokens: 50 };
    const request = { size, promptBytes: 300, streams: true, choices: 1 };
    const work = model.sent(request, { ...emptyPrediction(), uncachedTokens: 100, iterations: 1 }, sentMs);
    work.firstByte(sentMs + 100);
    work.ended(
      { kind: 'whole', promptTokens: 100, completionTokens: 50, wasPaused: false },
      sentMs + 100 + 49 * 50,
    );
  }
}

function keeperOf(
  memory: LearnedMemory,
  engines: KeptEngine[] = [],
  lengths = new AnswerLengths(settings.lengths),
) {
  const clock = new ManualClock();
  const { log, lines } = recordingLog();
  return {
    keeper: new LearnedKeeper(memory, { clock, log, lengths, engines: () => engines }),
    clock,
    lines,
    lengths,
  };
}

describe('what was learned of an engine', () => {
  it('is saved once a minute where it changed, and given to the same engine after a restart', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { clock } = keeperOf(memory, [engine]);
    serve(engine, 30);
    clock.advance(59_000);
    expect(memory.saves).toBe(0);
    clock.advance(1_000);
    expect(memory.saves).toBe(1);
    clock.advance(60_000);
    expect(memory.saves).toBe(1);

    const again = engineOf();
    keeperOf(memory).keeper.prepare(again);
    expect(again.model.learned.snapshot()).toEqual(engine.model.learned.snapshot());
    serve(engine, 5, 1_000_000);
    serve(again, 5, 1_000_000);
    expect(again.model.rates).toEqual(engine.model.rates);
  });

  it('is saved at the end', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { keeper } = keeperOf(memory, [engine]);
    serve(engine, 3);
    keeper.close();
    expect(memory.rates.size).toBe(1);
  });

  it('is where another begins: the same model and image on the same card, or another image here', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { keeper } = keeperOf(memory, [engine]);
    serve(engine, 40);
    keeper.close();
    const { rates } = engine.model;
    for (const relative of [engineOf('motoko'), engineOf('armitage', 'vllm:2')]) {
      keeperOf(memory).keeper.prepare(relative);
      expect(relative.model.rates).toEqual(rates);
      expect(relative.model.learned.observations).toBe(0);
      expect(relative.model.bytesPerToken).toBe(engine.model.bytesPerToken);
    }
    for (const stranger of [
      engineOf('motoko', 'vllm:2'),
      engineOf('motoko', 'vllm:1', 'NVIDIA L4'),
      engineOf('motoko', 'vllm:1', null),
    ]) {
      keeperOf(memory).keeper.prepare(stranger);
      expect(stranger.model.rates).not.toEqual(rates);
    }
  });

  it('does not replace what it has told already', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { keeper } = keeperOf(memory, [engine]);
    serve(engine, 20);
    keeper.save();
    serve(engine, 20, 1_000_000);
    const known = { ...engine.model.rates };
    keeper.prepare(engine);
    expect(engine.model.rates).toEqual(known);
  });

  it('can be forgotten, here and where it is kept', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { keeper } = keeperOf(memory, [engine]);
    serve(engine, 30);
    keeper.save();
    keeper.forget(engine);
    expect(engine.model.learned.observations).toBe(0);
    expect(memory.rates.size).toBe(0);
    keeper.save();
    expect(memory.rates.size).toBe(0);
    const again = engineOf();
    keeper.prepare(again);
    expect(again.model.rates).toEqual(engine.model.rates);
  });

  it.each(['no JSON', '{}', 'null', '{"rates":{"iterationSeconds":0}}'])(
    'is dropped with one line where it cannot be read: %s',
    (state) => {
      const memory = new Memory();
      const engine = engineOf();
      memory.rates.set('x', { ...engine.identity, state });
      const { keeper, lines } = keeperOf(memory);
      keeper.prepare(engine);
      keeper.prepare(engine);
      expect(engine.model.learned.observations).toBe(0);
      expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1);
      expect(lines[0]).toMatchObject({ what: 'rates of org/qwen-7b on armitage (vllm:1)' });
    },
  );

  it('with numbers that cannot be is dropped too', () => {
    const memory = new Memory();
    const engine = engineOf();
    const { keeper } = keeperOf(memory, [engine]);
    serve(engine, 3);
    keeper.save();
    const [kept] = memory.rates.values();
    for (const spoiled of ['"scale":null', '"scale":-1', '"scale":"1"', '"scale":1e999']) {
      const state = (kept?.state ?? '').replace(/"scale":[0-9.e-]+/, spoiled);
      const other = new Memory();
      other.rates.set('x', { ...engine.identity, state });
      const again = engineOf();
      keeperOf(other).keeper.prepare(again);
      expect(again.model.learned.observations).toBe(0);
    }
  });
});

describe('how long answers are', () => {
  it('is kept by role and key, and there again after a restart', () => {
    const memory = new Memory();
    const lengths = new AnswerLengths(settings.lengths);
    const { keeper } = keeperOf(memory, [], lengths);
    for (let answer = 0; answer < 50; answer++)
      lengths.learn('chat', answer % 2 === 0 ? 'short' : 'long', answer % 2 === 0 ? 20 : 900);
    keeper.close();
    expect([...memory.lengths.keys()].toSorted()).toEqual(['chat ', 'chat long', 'chat short']);
    const { lengths: again } = keeperOf(memory);
    for (const key of ['short', 'long', 'new']) {
      expect(again.expect('chat', key, null)).toBe(lengths.expect('chat', key, null));
    }
    keeper.save();
    expect(memory.saves).toBe(3);
  });

  it('is dropped with one line where it cannot be read, however much of it', () => {
    const memory = new Memory();
    for (const key of ['', 'a', 'b']) memory.lengths.set(key, { role: 'chat', key, state: '[1' });
    const { lengths, lines } = keeperOf(memory);
    expect(lengths.keyCount).toBe(0);
    expect(lines).toMatchObject([{ what: 'answer lengths', damaged: 3 }]);
  });
});

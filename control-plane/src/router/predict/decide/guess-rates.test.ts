import { describe, expect, it } from 'vitest';
import { type EngineFacts, guessRates, UNKNOWN_RATES } from './guess-rates.js';

const facts = (more: Partial<EngineFacts> = {}): EngineFacts => ({
  card: 'NVIDIA GeForce RTX 4070 SUPER',
  cardMemoryBytes: 12_878_610_432,
  model: 'Qwen/Qwen2.5-7B-Instruct-AWQ',
  ...more,
});

describe('rates guessed of an engine', () => {
  it('are a middling card’s where nothing is known', () => {
    expect(guessRates(null)).toBe(UNKNOWN_RATES);
    expect(guessRates(facts({ card: null }))).toBe(UNKNOWN_RATES);
    expect(guessRates(facts({ card: 'Radeon RX 7900' }))).toBe(UNKNOWN_RATES);
    expect(guessRates(facts({ model: 'my-tune' }))).toBe(UNKNOWN_RATES);
  });

  it('follow bandwidth and arithmetic', () => {
    const { iterationSeconds, perDecodingSeconds, perPromptTokenSeconds } = guessRates(facts());
    expect(iterationSeconds).toBeCloseTo(0.003 + (7e9 * 0.75) / (0.75 * 504e9), 6);
    expect(perDecodingSeconds).toBeCloseTo(0.0003 + (1000 * 16_000 * 7) / (0.75 * 504e9), 6);
    expect(perPromptTokenSeconds).toBeCloseTo(14e9 / (0.45 * 71e12), 9);
  });

  it('tell the laptop’s 4070 from the desktop’s, by its memory or its name', () => {
    const desktop = guessRates(facts({ card: 'NVIDIA GeForce RTX 4070' }));
    const small = guessRates(facts({ card: 'NVIDIA GeForce RTX 4070', cardMemoryBytes: 8.5e9 }));
    expect(small.iterationSeconds).toBeGreaterThan(1.5 * desktop.iterationSeconds);
    expect(guessRates(facts({ card: 'NVIDIA GeForce RTX 4070 Laptop GPU' }))).toEqual(small);
  });

  it.each([
    ['NVIDIA GeForce RTX 2080', 448],
    ['NVIDIA GeForce RTX 3090', 936],
    ['NVIDIA GeForce RTX 4090', 1008],
    ['NVIDIA L4', 300],
    ['NVIDIA A10', 600],
    ['NVIDIA H100 80GB HBM3', 3350],
  ])('know the bandwidth of %s', (card, gigabytesPerSecond) => {
    const { iterationSeconds } = guessRates(facts({ card, model: 'x-1B' }));
    expect(iterationSeconds).toBeCloseTo(0.003 + 2.1e9 / (0.75 * gigabytesPerSecond * 1e9), 8);
  });

  it('read a model’s size from its name', () => {
    const pace = (model: string): number => guessRates(facts({ model })).perPromptTokenSeconds;
    const billion = 2e9 / (0.45 * 71e12);
    expect(pace('Qwen/Qwen2.5-0.5B')).toBeCloseTo(0.5 * billion, 12);
    expect(pace('HuggingFaceTB/SmolLM2-135M')).toBeCloseTo(0.135 * billion, 12);
    expect(pace('mistralai/Mixtral-8x7B')).toBeCloseTo(14 * billion, 12);
    expect(pace('Qwen/Qwen3-30B-A3B')).toBeCloseTo(3 * billion, 12);
  });
});

import type { EngineShape } from '../../simulators/batch-engine/engine-shape.js';

const usual = { tokensPerIteration: 2048, mostWaiting: null };

/**
 * Roofline estimates, not measurements of these cards: an iteration reads the weights at three quarters of the card's
 * memory bandwidth (+ 3 ms), a prompt token takes 2 × parameters operations at 45 % of the tensor cores' FP16 rate.
 * Bandwidths and rates are NVIDIA's specifications; 2080 without the kernels that need Ampere, hence slower.
 */
export const cards = {
  /** RTX 2080 8 GB (448 GB/s) with a 3B model, AWQ. */
  rtx2080: { ...usual, iterationMs: 14, decodingMs: 0.9, promptTokenMs: 0.6, kvTokens: 24_000, slots: 8 },
  /** RTX 4070 with 8 GB, a laptop's (256 GB/s), with a 7B model, AWQ. */
  'rtx4070-8g': {
    ...usual,
    ...{ iterationMs: 30, decodingMs: 1, promptTokenMs: 0.55, kvTokens: 16_000, slots: 8 },
  },
  /** RTX 4070 Super 12 GB (504 GB/s) with an 8B model, AWQ. */
  rtx4070s: { ...usual, iterationMs: 17, decodingMs: 0.6, promptTokenMs: 0.42, kvTokens: 40_000, slots: 16 },
  /**
   * 24 GB and more. Near a measured 4090 with a 7B model in FP16: 210 tokens/s for 4 requests at once and 1190 for 48,
   * which is 19 and 40 ms from token to token (mushfiqrahman.dev/?p=1668).
   */
  big: { ...usual, iterationMs: 16, decodingMs: 0.4, promptTokenMs: 0.1, kvTokens: 200_000, slots: 32 },
} as const satisfies Readonly<Record<string, EngineShape>>;

/** Requests per second of these mean lengths that saturate an engine with every slot taken. */
export function capacityPerSecond(shape: EngineShape, meanPrompt: number, meanAnswer: number): number {
  const tokenMs = shape.iterationMs / shape.slots + shape.decodingMs;
  return 1_000 / (shape.promptTokenMs * meanPrompt + meanAnswer * tokenMs);
}

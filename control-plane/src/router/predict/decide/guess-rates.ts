import type { Rates } from '../predict-types.js';

/** What is known of an engine before it has answered anything. */
export interface EngineFacts {
  /** As its driver names it; `null`: not known. */
  readonly card: string | null;
  readonly cardMemoryBytes: number | null;
  /** As the engine or its declaration names it. */
  readonly model: string;
}

interface Card {
  readonly pattern: RegExp;
  readonly gigabytesPerSecond: number;
  /** Dense, 16 bit, with 16 or 32 bit sums. */
  readonly teraflops: number;
}

/** From NVIDIA's specifications; the first that fits counts. */
const CARDS: readonly Card[] = [
  { pattern: /H100/i, gigabytesPerSecond: 3350, teraflops: 990 },
  { pattern: /\bL4\b/i, gigabytesPerSecond: 300, teraflops: 121 },
  { pattern: /\bA10\b/i, gigabytesPerSecond: 600, teraflops: 125 },
  { pattern: /4090/, gigabytesPerSecond: 1008, teraflops: 165 },
  { pattern: /4080/, gigabytesPerSecond: 717, teraflops: 97 },
  { pattern: /4070 (Ti )?Super/i, gigabytesPerSecond: 504, teraflops: 71 },
  { pattern: /4070 Laptop/i, gigabytesPerSecond: 256, teraflops: 58 },
  { pattern: /4070/, gigabytesPerSecond: 504, teraflops: 58 },
  { pattern: /4060/, gigabytesPerSecond: 272, teraflops: 60 },
  { pattern: /3090/, gigabytesPerSecond: 936, teraflops: 71 },
  { pattern: /3060/, gigabytesPerSecond: 360, teraflops: 51 },
  { pattern: /2080/, gigabytesPerSecond: 448, teraflops: 40 },
];
/** The 4070 with 8 GB is the laptop's, whatever its driver calls it. */
const LAPTOP: Card = { pattern: /4070/, gigabytesPerSecond: 256, teraflops: 58 };
const LAPTOP_BYTES = 9e9;

/** A middling card with a middling model. */
export const UNKNOWN_RATES: Rates = {
  iterationSeconds: 0.02,
  perDecodingSeconds: 0.001,
  perPromptTokenSeconds: 0.0005,
};

const EXPERTS = /(?:^|[^0-9a-z.])(\d+)x(\d+(?:\.\d+)?)b(?![a-z0-9])/i;
const ACTIVE = /(?:^|[^0-9a-z.])a(\d+(?:\.\d+)?)b(?![a-z0-9])/i;
const BILLIONS = /(?:^|[^0-9a-z.])(\d+(?:\.\d+)?)b(?![a-z0-9])/i;
const MILLIONS = /(?:^|[^0-9a-z.])(\d+(?:\.\d+)?)m(?![a-z0-9])/i;
const FOUR_BITS = /awq|gptq|int4|w4a16|nf4|4bit|mxfp4|nvfp4|fp4|q4_/i;
const EIGHT_BITS = /fp8|int8|w8a8|w8a16|8bit|q8_/i;

/** Shares of a card's figures that engines reach. */
const BANDWIDTH_REACHED = 0.75;
const FLOPS_REACHED = 0.45;
/** What an iteration takes beside reading the weights: scheduling, launches, sampling. */
const OVERHEAD_SECONDS = 0.003;
const PER_ANSWER_SECONDS = 0.0003;
/** Of its past an answer reads at each step. */
const USUAL_CONTEXT_TOKENS = 1000;
const KV_BYTES_PER_BILLION = 16_000;

/**
 * Rates from a card's bandwidth and arithmetic and a model's size (a roofline): off by a factor of two at times, and
 * enough to begin with, since forty answers correct them. The terms are those of Vidur (MLSys 2024).
 */
export function guessRates(facts: EngineFacts | null): Rates {
  const card = facts === null ? null : cardOf(facts);
  const parameters = facts === null ? null : parametersOf(facts.model);
  if (facts === null || card === null || parameters === null) return UNKNOWN_RATES;
  const bytesPerSecond = BANDWIDTH_REACHED * card.gigabytesPerSecond * 1e9;
  const weightBytes = parameters.active * 1e9 * bytesPerParameter(facts.model);
  const kvBytes = USUAL_CONTEXT_TOKENS * KV_BYTES_PER_BILLION * parameters.all;
  return {
    iterationSeconds: OVERHEAD_SECONDS + weightBytes / bytesPerSecond,
    perDecodingSeconds: PER_ANSWER_SECONDS + kvBytes / bytesPerSecond,
    perPromptTokenSeconds: (2 * parameters.active * 1e9) / (FLOPS_REACHED * card.teraflops * 1e12),
  };
}

function cardOf({ card, cardMemoryBytes }: EngineFacts): Card | null {
  if (card === null) return null;
  const found = CARDS.find(({ pattern }) => pattern.test(card)) ?? null;
  const isSmall = cardMemoryBytes !== null && cardMemoryBytes < LAPTOP_BYTES;
  return isSmall && LAPTOP.pattern.test(card) ? LAPTOP : found;
}

/** In billions; of a mixture of experts the part that a token passes through. */
function parametersOf(model: string): { readonly all: number; readonly active: number } | null {
  const name = model.split('/').at(-1) ?? model;
  const experts = EXPERTS.exec(name);
  // Two of the experts are asked for each token.
  if (experts) return { all: Number(experts[1]) * Number(experts[2]), active: 2 * Number(experts[2]) };
  const millions = MILLIONS.exec(name);
  const billions = BILLIONS.exec(name.replace(ACTIVE, ''));
  const all = billions ? Number(billions[1]) : millions ? Number(millions[1]) / 1000 : 0;
  if (all <= 0) return null;
  return { all, active: Number(ACTIVE.exec(name)?.[1] ?? all) };
}

/** Four bits are more than half a byte: scales, and embeddings that stay at sixteen. */
function bytesPerParameter(model: string): number {
  if (FOUR_BITS.test(model)) return 0.75;
  return EIGHT_BITS.test(model) ? 1.1 : 2.1;
}

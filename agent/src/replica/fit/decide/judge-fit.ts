import { type Fallback, type GpuChoice, gibText, type ReplicaFit, type Task } from '@ai-fabric/shared';
import { type FitCard, foreignBytes, freeBytes } from './card-memory.js';
import type { ModelEstimate } from './estimate-model.js';

export interface FitQuestion {
  readonly model: string;
  readonly task: Task;
  readonly gpu: GpuChoice;
  /** Prompt and answer together; `null`: as the model has it. */
  readonly contextTokens: number | null;
  readonly maxConcurrent: number;
  /** Of a card, what the engine may take at most; `null`: what is free. */
  readonly gpuMemoryRatio: number | null;
  /** How many cards share the model. */
  readonly cardCount: number;
  readonly estimate: ModelEstimate;
}

export interface FitJudgement {
  readonly fit: ReplicaFit;
  /** UUIDs of the cards it should have; empty where it has none. */
  readonly cards: readonly string[];
  /** Of `tight`: what would make it fit. */
  readonly settings: Fallback | null;
}

const RULE_FACTOR = 1.2;
const RULE_BASE_BYTES = 2e9;
/** Left for what comes and goes beside the engine. */
const MARGIN_BYTES = 256 * 1024 * 1024;
/** vLLM's own default share. */
const MOST_RATIO = 0.92;
const LEAST_CONTEXT_TOKENS = 2_048;
/** Where neither declaration nor model says. */
const USUAL_CONTEXT_TOKENS = 8_192;

/** Whether a model fits a card of this host as the cards are now, and on which. */
export function judgeFit(question: FitQuestion, cards: readonly FitCard[]): FitJudgement {
  if (question.gpu.select === 'none') {
    return { fit: fitOf('fits', null, null, 'Declared without a card.'), cards: [], settings: null };
  }
  const eligible = chooseFrom(question.gpu, cards);
  if (eligible.length < question.cardCount) return missingCards(question, cards, eligible.length);
  const judged = eligible.map((card) => ({ card, ...judgeCard(question, card) }));
  judged.sort(
    (a, b) =>
      RANK[a.fit.verdict] - RANK[b.fit.verdict] ||
      (b.fit.freeBytes ?? 0) - (a.fit.freeBytes ?? 0) ||
      // Of two that are alike the first: the same one each time.
      a.card.index - b.card.index,
  );
  const chosen = judged.slice(0, question.cardCount);
  // A chain is as strong as its weakest card.
  const weakest = chosen.at(-1);
  if (weakest === undefined) return missingCards(question, cards, 0);
  return { fit: weakest.fit, cards: chosen.map(({ card }) => card.uuid), settings: weakest.settings };
}

const RANK = { fits: 0, tight: 1, unknown: 2, does_not_fit: 3 } as const;

/**
 * The share of a card that the engine is told to take: at most what is declared, and never more than is free, which
 * would end its start. Two decimals, rounded down. `null` where the card's memory is not known.
 */
export function memoryRatio(declared: number | null, card: FitCard): number | null {
  const free = freeBytes(card);
  if (card.totalBytes === null || card.totalBytes <= 0 || free === null) return declared;
  const possible = Math.floor((100 * (free - MARGIN_BYTES)) / card.totalBytes) / 100;
  return Math.max(0.05, Math.min(declared ?? MOST_RATIO, possible));
}

function chooseFrom(gpu: GpuChoice, cards: readonly FitCard[]): readonly FitCard[] {
  switch (gpu.select) {
    case 'none':
      return [];
    case 'any':
      return cards;
    case 'uuid':
      return cards.filter(({ uuid }) => uuid.toLowerCase() === gpu.uuid.toLowerCase());
    case 'index':
      return cards.filter(({ index }) => index === gpu.index);
    default:
      return gpu satisfies never;
  }
}

function judgeCard(question: FitQuestion, card: FitCard): Omit<FitJudgement, 'cards'> {
  const free = freeBytes(card);
  if (card.totalBytes === null || free === null) {
    const detail = card.loading
      ? 'Another replica is loading on the card: what is free is known when it is ready.'
      : 'What is free on the card is not known.';
    return { fit: fitOf('unknown', null, null, detail), settings: null };
  }
  const budget = Math.min((question.gpuMemoryRatio ?? MOST_RATIO) * card.totalBytes, free - MARGIN_BYTES);
  const footprintBytes = believedFootprint(question, card);
  if (footprintBytes !== null && footprintBytes <= free - MARGIN_BYTES) {
    const detail = `It took ${gibText(footprintBytes)} of this card before; ${gibText(free)} are free.`;
    return { fit: fitOf('fits', footprintBytes, free, detail), settings: null };
  }
  const asked = question.contextTokens ?? USUAL_CONTEXT_TOKENS;
  const needed = neededBytes(question, asked, question.maxConcurrent);
  if (needed === null) {
    const detail = `How large ${question.model} is cannot be told from its name.`;
    return { fit: fitOf('unknown', footprintBytes, free, detail), settings: null };
  }
  const numbers = `It needs ${gibText(needed)}; of ${gibText(card.totalBytes)} it can have ${gibText(Math.max(0, budget))}${describeForeign(card)}.`;
  if (needed <= budget) return { fit: fitOf('fits', needed, free, numbers), settings: null };
  const settings = shrink(question, asked, budget);
  if (settings === null) return { fit: fitOf('does_not_fit', needed, free, numbers), settings: null };
  return {
    fit: fitOf('tight', needed, free, `${numbers} It would fit with ${describe(settings)}.`),
    settings,
  };
}

/** Less than the weights alone was never all: another program gave memory back while this one loaded. */
function believedFootprint({ estimate, cardCount }: FitQuestion, { footprintBytes }: FitCard): number | null {
  const least = (estimate.weightsBytes ?? 0) / cardCount;
  return footprintBytes !== null && footprintBytes > 0 && footprintBytes >= least ? footprintBytes : null;
}

/** Weights and what they need to work, and keys and values for every request that may run at once. */
function neededBytes(question: FitQuestion, contextTokens: number, maxConcurrent: number): number | null {
  const { weightsBytes, kvBytesPerToken } = question.estimate;
  if (weightsBytes === null) return null;
  // A text that is only read is done with in one step: what waits holds nothing of the card.
  const isRead = question.task === 'embeddings' || question.task === 'rerank';
  const tokens = contextTokens * (isRead ? 1 : maxConcurrent);
  const shared = weightsBytes * RULE_FACTOR + kvBytesPerToken * tokens;
  return Math.round(shared / question.cardCount + RULE_BASE_BYTES);
}

/** Fewer requests at once first, then half the context, and again. */
function shrink(question: FitQuestion, asked: number, budget: number): Fallback | null {
  const fits = (contextTokens: number, maxConcurrent: number): boolean =>
    (neededBytes(question, contextTokens, maxConcurrent) ?? Number.POSITIVE_INFINITY) <= budget;
  for (let contextTokens = asked; ; contextTokens = Math.floor(contextTokens / 2)) {
    if (fits(contextTokens, 1)) {
      let maxConcurrent = question.maxConcurrent;
      while (maxConcurrent > 1 && !fits(contextTokens, maxConcurrent)) maxConcurrent -= 1;
      return {
        ...(contextTokens === question.contextTokens ? {} : { contextTokens }),
        ...(maxConcurrent === question.maxConcurrent ? {} : { maxConcurrent }),
      };
    }
    if (contextTokens / 2 < LEAST_CONTEXT_TOKENS) return null;
  }
}

function missingCards(question: FitQuestion, cards: readonly FitCard[], found: number): FitJudgement {
  const there = cards.map(({ uuid, index }) => `${index} ${uuid}`).join(', ') || 'none';
  const wanted = question.cardCount > 1 ? `${question.cardCount} cards` : 'the declared card';
  const detail = `This host lacks ${wanted} (found ${found}); its cards: ${there}`.slice(0, 480);
  return { fit: fitOf('does_not_fit', null, null, `${detail}.`), cards: [], settings: null };
}

function describeForeign(card: FitCard): string {
  const foreign = foreignBytes(card);
  return foreign === null || foreign === 0 ? '' : `, other programs have ${gibText(foreign)}`;
}

function describe({ contextTokens, maxConcurrent }: Fallback): string {
  return [
    ...(contextTokens === undefined ? [] : [`contextTokens: ${contextTokens}`]),
    ...(maxConcurrent === undefined ? [] : [`maxConcurrent: ${maxConcurrent}`]),
  ].join(', ');
}

function fitOf(
  verdict: ReplicaFit['verdict'],
  needed: number | null,
  free: number | null,
  detail: string,
): ReplicaFit {
  return { verdict, neededBytes: needed, freeBytes: free, detail };
}

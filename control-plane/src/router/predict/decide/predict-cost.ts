import type { Prediction, Rates, ReplicaLoad, RequestSize, Weights } from '../predict-types.js';

export interface CostSettings {
  /** Tokens that one iteration takes at most, vLLM's `max_num_batched_tokens`. */
  readonly batchTokens: number;
  /** Of them a prompt gets at least this many, however many answers are being written. */
  readonly leastChunkTokens: number;
  /** Share of a backlog that may be believed done without its first token having come. */
  readonly mostDone: number;
  /** Share of the key-value cache that can be filled before requests are put off. */
  readonly kvUsable: number;
  /** Tokens a second that fall free at least. */
  readonly leastFreedPerSecond: number;
  /** Where its size is not known, usage from which the cache counts as full. */
  readonly kvFullRatio: number;
}

/**
 * The seconds that a request would take at one replica, with what is under way there. With a, c, p the rates, n own
 * answers being written, e requests of others, m own prompts being read, W their tokens, u the request's:
 *
 *     step   = a + c·(n + e)
 *     done   = clamp((frontier age − step/2) / p, 0, 0.9·W)      what must be read of the backlog by now
 *     w      = W − done + u
 *     k      = ⌈w / max(256, 2048 − n − e)⌉, at least 1          iterations
 *     start  = (step/2 where anything is under way) + k·step + p·w
 *     queue  = over / slots · L̄·(a + c·slots)                    over = n + m + e + 1 − slots, where positive
 *            + kvOver / (tokens that fall free a second) + p·kvOver
 *     answer = L·(a + c·(n + m + e + 1))
 *     cost   = drift·(firstToken·(queue + start) + answerWeight·answer) + cold
 *
 * Nothing is allocated: it is asked for each candidate of each request.
 */
export function predictCost(
  load: ReplicaLoad,
  rates: Rates,
  request: RequestSize,
  weights: Weights,
  settings: CostSettings,
  out: Prediction,
): void {
  const a = rates.iterationSeconds;
  const c = rates.perDecodingSeconds;
  const p = rates.perPromptTokenSeconds;
  const writing = load.decoding + load.external;
  const all = writing + load.prefilling;
  const step = a + c * writing;
  const backlog = load.backlogTokens;
  const uncached = Math.max(1, request.promptTokens - request.cachedTokens);
  const work = backlog - doneOf(load, step, p, settings) + uncached;
  const chunk = Math.max(settings.leastChunkTokens, settings.batchTokens - writing);
  const iterations = Math.max(1, Math.ceil(work / chunk));
  const start = (all > 0 ? step / 2 : 0) + iterations * step + p * work;
  const answer = request.answerTokens * (a + c * (all + 1));
  const queue = slotWait(load, all, rates, request) + kvWait(load, step, start, rates, request, settings);
  out.uncachedTokens = uncached;
  out.iterations = iterations;
  out.startSeconds = start;
  out.queueSeconds = queue;
  out.answerSeconds = answer;
  const cost =
    load.drift * (weights.firstToken * (queue + start) + weights.answer * answer) + load.coldSeconds;
  out.costSeconds = Number.isFinite(cost) ? cost : Number.POSITIVE_INFINITY;
}

function doneOf(load: ReplicaLoad, step: number, p: number, settings: CostSettings): number {
  const backlog = load.backlogTokens;
  if (backlog <= 0) return 0;
  const done = (load.frontierAgeSeconds - step / 2) / p;
  return Math.min(Math.max(done, 0), settings.mostDone * backlog);
}

/** Slots that others have taken: our own claims alone never exceed them. */
function slotWait(load: ReplicaLoad, all: number, rates: Rates, request: RequestSize): number {
  const over = all + 1 - load.slots;
  if (over <= 0) return 0;
  const full = rates.iterationSeconds + rates.perDecodingSeconds * load.slots;
  return (over / load.slots) * meanAnswer(load, request) * full;
}

/** An engine whose cache is full puts requests off until answers end, and reads again what it had to drop. */
function kvWait(
  load: ReplicaLoad,
  step: number,
  start: number,
  rates: Rates,
  request: RequestSize,
  settings: CostSettings,
): number {
  if (request.answerTokens === 0) return 0;
  if (load.kvCapacityTokens <= 0) return load.kvUsageRatio > settings.kvFullRatio ? start : 0;
  // What is in the cache already may be another's too: half of it is counted.
  const prompt = request.promptTokens - request.cachedTokens / 2;
  const needed = load.kvOwnTokens + load.kvOtherTokens + prompt + request.answerTokens;
  const over = needed - settings.kvUsable * load.kvCapacityTokens;
  if (over <= 0) return 0;
  const lifetime = Math.max(1, meanAnswer(load, request)) * step;
  const freed = Math.max(settings.leastFreedPerSecond, load.kvOwnTokens / lifetime);
  return over / freed + rates.perPromptTokenSeconds * over;
}

function meanAnswer(load: ReplicaLoad, request: RequestSize): number {
  return load.meanAnswerTokens > 0 ? load.meanAnswerTokens : request.answerTokens;
}

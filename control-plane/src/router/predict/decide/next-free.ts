import type { Rates, ReplicaLoad } from '../predict-types.js';

/** A request under way at an engine, and the one that was taken up after it. */
export interface OpenWork {
  readonly phase: 'unread' | 'assumed' | 'writing' | 'ended';
  /** Its first token came. */
  readonly firstMs: number;
  /** Its prompt is believed to be read, where nothing tells. */
  readonly dueMs: number;
  readonly answerTokens: number;
  readonly uncachedTokens: number;
  /** Of its stream, so far; 0 where nothing of its answer is seen. */
  readonly events: number;
  readonly after: OpenWork | null;
}

/** Share of its expected length that an answer is still expected to have, however long it has become. */
const LEAST_LEFT = 1 / 8;
/** From so many tokens on a stream tells its own pace, which no guess of its engine's does. */
const TELLING_TOKENS = 8;

/**
 * Seconds until the first of an engine's own requests is expected to end.
 *
 * @param taken the first of those that answers are written to
 * @param unread the first of each kind whose prompt is not read yet
 * @param tokensPerEvent of its streams
 * @returns `null` where none is under way
 */
export function nextFreeSeconds(
  taken: OpenWork | null,
  unread: readonly (OpenWork | null)[],
  load: ReplicaLoad,
  rates: Rates,
  tokensPerEvent: number,
  nowMs: number,
): number | null {
  const { iterationSeconds, perDecodingSeconds, perPromptTokenSeconds } = rates;
  const step = (iterationSeconds + perDecodingSeconds * (load.decoding + load.external)) * load.drift;
  let soonest = Number.POSITIVE_INFINITY;
  for (let work = taken; work !== null; work = work.after) {
    const sinceMs = work.phase === 'writing' ? work.firstMs : work.dueMs;
    const seconds = (nowMs - sinceMs) / 1000;
    const seen = work.events * tokensPerEvent;
    const isTelling = seen >= TELLING_TOKENS;
    const written = isTelling ? seen : seconds / step;
    const pace = isTelling ? seconds / seen : step;
    // One that is longer than expected may end at any moment, and need not.
    const left = Math.max(work.answerTokens - written, work.answerTokens * LEAST_LEFT, 1);
    soonest = Math.min(soonest, left * pace);
  }
  for (const first of unread) {
    if (first === null) continue;
    const reading = perPromptTokenSeconds * first.uncachedTokens * load.drift - load.frontierAgeSeconds;
    soonest = Math.min(soonest, Math.max(0, reading) + Math.max(1, first.answerTokens) * step);
  }
  return Number.isFinite(soonest) ? soonest : null;
}

/** A target that is waited for. */
export interface EtaTarget {
  readonly slots: number;
  /** Until the first request of ours there is expected to end. */
  readonly nextFreeSeconds: number | null;
  /** How long ours held a slot of late. */
  readonly meanHoldSeconds: number | null;
}

/**
 * Seconds until a request has its turn: until the first slot of its targets falls free, and then one turn for each ahead of it, at
 * the pace at which all their slots fall free.
 *
 * @returns `null` where nothing is known
 */
export function etaSeconds(ahead: number, targets: readonly EtaTarget[]): number | null {
  let first = Number.POSITIVE_INFINITY;
  let freedPerSecond = 0;
  for (const { slots, nextFreeSeconds, meanHoldSeconds } of targets) {
    const rate = meanHoldSeconds === null || meanHoldSeconds <= 0 ? 0 : slots / meanHoldSeconds;
    freedPerSecond += rate;
    const next = nextFreeSeconds ?? (rate > 0 ? 1 / rate : Number.POSITIVE_INFINITY);
    first = Math.min(first, next);
  }
  const seconds = first + (ahead === 0 ? 0 : ahead / freedPerSecond);
  return Number.isFinite(seconds) ? seconds : null;
}

/** Whole seconds for `Retry-After`. @param chance 0 to 1: all that are refused at once shall not come back at once */
export function retryAfterSeconds(etaMs: number, chance: number): number {
  const jittered = (etaMs / 1000) * (0.9 + 0.2 * chance);
  return Math.min(MOST_RETRY_SECONDS, Math.max(1, Math.ceil(jittered)));
}

const MOST_RETRY_SECONDS = 600;

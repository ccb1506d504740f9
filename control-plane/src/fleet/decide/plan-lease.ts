/** What speaks for holding a machine awake. Wall clock, milliseconds. */
export interface LeaseFacts {
  /** Its models are still on their way. */
  readonly isWaking: boolean;
  /** The fabric puts it to sleep: it is no more to be held. */
  readonly isGoing: boolean;
  /** An image or weights are being fetched there: a machine that sleeps over it begins again. */
  readonly isFetching: boolean;
  readonly requestsInFlight: number;
  /** A request of the fabric ran there last; `null`: none since this process began. */
  readonly lastUsedAtMs: number | null;
  /** A wake brought it back then. */
  readonly wokenAtMs: number | null;
  readonly minimumUpMs: number;
  readonly keepAwakeUntilMs: number | null;
}

/** One lease; it is renewed well before it ends, and ends by itself where nobody renews it. */
export const LEASE_SECONDS = 180;
/** Who has just had an answer may have another question. */
const AFTER_USE_MS = 120_000;

/** How long a machine must not go to sleep by itself; 0: it may. Seconds. */
export function planLease(facts: LeaseFacts, nowMs: number): number {
  if (facts.isGoing) return 0;
  const { wokenAtMs, lastUsedAtMs, keepAwakeUntilMs } = facts;
  const isWanted =
    facts.isWaking ||
    facts.isFetching ||
    facts.requestsInFlight > 0 ||
    (lastUsedAtMs !== null && nowMs - lastUsedAtMs < AFTER_USE_MS) ||
    (wokenAtMs !== null && nowMs - wokenAtMs < facts.minimumUpMs) ||
    (keepAwakeUntilMs !== null && nowMs < keepAwakeUntilMs);
  return isWanted ? LEASE_SECONDS : 0;
}

/** What was seen of a program that its wrapper starts again whenever it ends. */
export interface SeenRuns {
  readonly pid: number | null;
  /** How often it ended. */
  readonly ends: number;
  /** Monotonic; `null`: it runs. */
  readonly awaySinceMs: number | null;
  /** Of the ends, those while nobody saw it run. */
  readonly unseenEnds: number;
}

export const NOTHING_SEEN: SeenRuns = { pid: null, ends: 0, awaySinceMs: null, unseenEnds: 0 };

/**
 * Counts how often a program ended, by looks at its process. One that ends at once is never seen: it was started, in vain,
 * each time that the wrapper's delay went by without it.
 *
 * @param pid `null`: it does not run
 * @param nowMs monotonic
 * @param delayMs after which the wrapper starts it again
 */
export function countEnds(seen: SeenRuns, pid: number | null, nowMs: number, delayMs: number): SeenRuns {
  if (pid !== null) {
    const isAnother = seen.pid !== null && seen.pid !== pid;
    return { pid, ends: seen.ends + (isAnother ? 1 : 0), awaySinceMs: null, unseenEnds: 0 };
  }
  if (seen.pid !== null) return { pid, ends: seen.ends + 1, awaySinceMs: nowMs, unseenEnds: 0 };
  const awaySinceMs = seen.awaySinceMs ?? nowMs;
  const unseenEnds = Math.floor((nowMs - awaySinceMs) / delayMs);
  return { pid, ends: seen.ends + unseenEnds - seen.unseenEnds, awaySinceMs, unseenEnds };
}

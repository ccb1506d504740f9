/** Tries of one post, the first one included. */
const MAX_TRIES = 5;
const FIRST_WAIT_MS = 1_000;
const GROWTH = 4;

/**
 * How long to wait before a post is tried again; `null`: it is given up, and what it said is told with the next run's.
 *
 * @param failed tries so far, 1 at least
 * @param random in [0, 1)
 */
export function nextPostAfterMs(failed: number, status: number | null, random: number): number | null {
  if (failed >= MAX_TRIES || (status !== null && isForGood(status))) return null;
  const fullMs = FIRST_WAIT_MS * GROWTH ** (failed - 1);
  return Math.round(fullMs * (0.5 + random / 2));
}

/** It understood, and does not want it: asking again changes nothing. */
function isForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}

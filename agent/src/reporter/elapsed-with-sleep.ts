const FRESH_MS = 50;

/**
 * Elapsed milliseconds with the time that the machine slept, which the clock of timers leaves out. On Linux the answer
 * is in a file: what is asked within the same turn of a report is worked out from the last answer.
 */
export function elapsedWithSleep(monotonicMs: () => number, uptimeSeconds: () => number): () => number {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let uptimeMs = 0;
  return () => {
    const nowMs = monotonicMs();
    if (nowMs - askedAtMs >= FRESH_MS) {
      uptimeMs = uptimeSeconds() * 1_000;
      askedAtMs = nowMs;
    }
    return uptimeMs + (nowMs - askedAtMs);
  };
}

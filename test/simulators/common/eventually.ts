const SHORTEST_MS = 20;
/** Of what passes in between, states that last for a fraction of a second are to be seen too. */
const LONGEST_MS = 200;

/**
 * Waits until a condition holds. It looks each 20 ms, and more seldom where a look itself takes long, as one that
 * starts a program does, or the wait is long already: looking takes time from what is waited for. A condition that
 * throws does not hold yet: what it asks may not be there before its time (a row of the log is written when its
 * request is over).
 *
 * @throws Error naming the condition after `deadlineMs`, with the last thing that it threw as its cause
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const beganMs = performance.now();
  for (;;) {
    const lookedMs = performance.now();
    let cause: unknown;
    try {
      if (await holds()) return;
    } catch (thrown) {
      cause = thrown;
    }
    const nowMs = performance.now();
    const [lookMs, waitedMs] = [nowMs - lookedMs, nowMs - beganMs];
    if (waitedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
    const pauseMs = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, Math.max(lookMs, waitedMs / 50)));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

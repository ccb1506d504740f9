const LOOK_MS = 20;
const SELDOM_MS = 100;

/**
 * Waits until a condition holds, looking each 20 ms: asking takes time from what it waits for. Where others have to be
 * asked, it looks less and less often, at last each 100 ms. A condition that throws does not hold yet: what it asks may
 * not be there before its time (a row of the log is written when its request is over).
 *
 * @throws Error naming the condition after `deadlineMs`, with the last thing that it threw as its cause
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (let pauseMs = LOOK_MS; ; ) {
    let cause: unknown;
    try {
      const answer = holds();
      if (answer instanceof Promise) pauseMs = Math.min(pauseMs * 1.15, SELDOM_MS);
      if (await answer) return;
    } catch (thrown) {
      cause = thrown;
    }
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Waits until a condition holds, looking each 20 ms: asking takes time from what it waits for. A condition that
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
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await holds()) return;
    } catch (thrown) {
      cause = thrown;
    }
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

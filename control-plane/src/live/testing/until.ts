const DEADLINE_MS = 30_000;
const POLL_MS = 5;

/** Waits for a condition of the real world, not for a time. @throws when it does not come about within 30 s */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

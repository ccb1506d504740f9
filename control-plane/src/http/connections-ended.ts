const CLOSE_DEADLINE_MS = 2_500;
const CLOSE_POLL_MS = 25;

/**
 * Resolves when no connection is left that was told goodbye, or after 2.5 s. By the system's time, not the clock's:
 * sockets do not know of an injected one.
 */
export async function connectionsEnded(left: () => number): Promise<void> {
  const deadline = performance.now() + CLOSE_DEADLINE_MS;
  while (left() > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
  }
}

/** A sample that claims to be older is not believed: no agent buffers for so long. */
export const MAX_SAMPLE_AGE_MS = 7 * 24 * 3_600_000;

/**
 * When a sample was taken, on the server's clock. Only its age is taken from the agent, as the difference of two
 * times of its own clock: an agent whose clock is an hour off is placed right all the same.
 *
 * @returns `null` for an age that cannot be
 */
export function placeSample(receivedAtMs: number, sentAtMs: number, atMs: number): number | null {
  const ageMs = sentAtMs - atMs;
  if (!(ageMs <= MAX_SAMPLE_AGE_MS)) return null;
  // Taken after it was sent: the agent's clock was set back in between, and it is as good as new.
  return receivedAtMs - Math.max(0, ageMs);
}

/** One look at both clocks. */
export interface SleepLook {
  /** Monotonic, without the time that the machine slept where the system can tell. */
  readonly monotonicMs: number;
  /** With it. */
  readonly elapsedMs: number;
}

/** Less is two clocks that are not read at the same moment. */
const SLEPT_MS = 2_000;

/**
 * How long the machine slept between two looks, in milliseconds; `null`: it did not. Where the clock of timers runs on
 * through a sleep (Windows), only the silence of the process itself tells.
 *
 * @param silenceMs so long without a look means sleep there; `null`: the clocks themselves tell
 */
export function judgeResume(before: SleepLook, now: SleepLook, silenceMs: number | null): number | null {
  const elapsedMs = now.elapsedMs - before.elapsedMs;
  const sleptMs = elapsedMs - (now.monotonicMs - before.monotonicMs);
  if (sleptMs >= SLEPT_MS) return sleptMs;
  return silenceMs !== null && elapsedMs >= silenceMs ? elapsedMs : null;
}

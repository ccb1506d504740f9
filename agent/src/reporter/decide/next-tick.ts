/** A row of nvidia-smi is read, and the tick follows at once: one wake of the process instead of two. */
const AFTER_ROW_MS = 5;
/** Of a cadence: a tick comes no earlier. */
const LEAST_RATIO = 0.75;

/**
 * When the next sample is taken, on the monotonic clock: a cadence after this one, moved by less than one so that it
 * comes just after a row of `nvidia-smi`, which prints at a time of its own.
 *
 * @param rowAtMs when the last row came; `null`: none ever did
 */
export function nextTickMs({
  startedMs,
  cadenceMs,
  rowAtMs,
}: {
  readonly startedMs: number;
  readonly cadenceMs: number;
  readonly rowAtMs: number | null;
}): number {
  const dueMs = startedMs + cadenceMs;
  if (rowAtMs === null || dueMs - rowAtMs > 3 * cadenceMs) return dueMs;
  const leastMs = startedMs + LEAST_RATIO * cadenceMs;
  const rows = Math.ceil((leastMs - rowAtMs - AFTER_ROW_MS) / cadenceMs);
  return rowAtMs + rows * cadenceMs + AFTER_ROW_MS;
}

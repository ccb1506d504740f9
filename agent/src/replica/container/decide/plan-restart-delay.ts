const BASE_MS = 1_000;
const CAP_MS = 300_000;

/** So many failures in a row are a loop. */
export const LOOP_FAILURES = 5;
/** A replica that was healthy for so long has left its failures behind. */
export const HEALED_MS = 600_000;

/**
 * How long to wait before the next try: 1, 2, 4 … 300 s, of which the upper half is left to chance, so that replicas
 * that died of one cause do not come back at one moment. The first restart begins within a second.
 *
 * @param failures in a row, this one included: 1 or more
 * @param lot a random number in [0, 1)
 * @returns milliseconds
 */
export function planRestartDelay(failures: number, lot: number): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(Math.max(failures, 1) - 1, 20));
  return Math.round(ceiling * (0.5 + 0.5 * lot));
}

/** The middle value; of an even number of values, the mean of the two in the middle. `null` of none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

/** `null` of none. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `null` of none. */
export function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

/** The value that this share of them does not exceed. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/**
 * What was measured in the same round, divided. A machine drifts by a third within minutes: only what stands side
 * by side compares. Rounds in which either is missing, or the divisor is 0, are left out.
 */
export function ratioByRound(
  dividends: readonly number[] | undefined,
  divisors: readonly number[] | undefined,
): number[] {
  const rounds = Math.min(dividends?.length ?? 0, divisors?.length ?? 0);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ratio = (dividends?.[round] ?? Number.NaN) / (divisors?.[round] ?? Number.NaN);
    if (Number.isFinite(ratio)) ratios.push(ratio);
  }
  return ratios;
}

/** To four significant digits, more than any figure of a shared machine is worth. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

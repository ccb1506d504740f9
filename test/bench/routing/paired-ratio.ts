/** A ratio with the bounds of its 95 % confidence interval. */
export interface PairedRatio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Quantiles of Student's t for 95 % of both sides together, by degrees of freedom from 1. */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * By how much one thing is more than another over runs that share their seeds: the geometric mean of the ratios, with the
 * interval that Student's t gives for the mean of their logarithms. Of fewer than two runs there is no interval.
 *
 * @throws RangeError where the lists differ in length or are empty
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): PairedRatio {
  if (ours.length !== theirs.length || ours.length === 0) throw new RangeError('the runs are no pairs');
  const logs = ours.map((value, index) => Math.log(value / (theirs[index] ?? Number.NaN)));
  const count = logs.length;
  const mean = logs.reduce((sum, log) => sum + log, 0) / count;
  if (count === 1) return { ratio: Math.exp(mean), low: 0, high: Number.POSITIVE_INFINITY };
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (count - 1);
  const reach = tQuantile(count - 1) * Math.sqrt(variance / count);
  return { ratio: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

/** Beyond the table by the first term of its expansion in 1 / degrees. */
export function tQuantile(degrees: number): number {
  return T_975[degrees - 1] ?? 1.96 + 2.4 / degrees;
}

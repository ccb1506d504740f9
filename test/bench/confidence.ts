/** A ratio with the bounds of its 95 % confidence interval. */
export interface BoundedRatio {
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
 * The geometric mean of ratios, with the interval that Student's t gives for the mean of their logarithms. Of one ratio there is
 * no interval: 0 to infinity.
 *
 * @param ratios positive, at least one
 */
export function boundRatio(ratios: readonly number[]): BoundedRatio {
  const count = ratios.length;
  const logs = ratios.map((ratio) => Math.log(ratio));
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

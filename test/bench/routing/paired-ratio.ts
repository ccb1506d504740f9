import { type BoundedRatio, boundRatio } from '../confidence.js';

/**
 * By how much one thing is more than another over runs that share their seeds.
 *
 * @throws RangeError where the lists differ in length or are empty
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): BoundedRatio {
  if (ours.length !== theirs.length || ours.length === 0) throw new RangeError('the runs are no pairs');
  return boundRatio(ours.map((value, index) => value / (theirs[index] ?? Number.NaN)));
}

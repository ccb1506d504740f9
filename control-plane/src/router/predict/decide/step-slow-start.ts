/** Most requests at once that a replica gets which has just become ready; `Infinity`: it is not held back any more. */
export type SlowStart = number;

export const notSlow: SlowStart = Number.POSITIVE_INFINITY;

/**
 * An engine that has just come up is proven by one request, then two, then four: the first requests compile kernels
 * and capture graphs, and one that fails is to fail with few in hand. The first byte of an answer is proof enough: what is slow
 * once is over by then.
 */
export function stepSlowStart(
  cap: SlowStart,
  event: 'ready' | 'succeeded' | 'failed',
  slots: number,
): SlowStart {
  if (event === 'ready') return slots > 1 ? 1 : notSlow;
  if (cap === notSlow) return notSlow;
  if (event === 'failed') return Math.max(1, Math.floor(cap / 2));
  return cap * 2 >= slots ? notSlow : cap * 2;
}

import type { Clock } from '@ai-fabric/shared';

/** What a promise brings, or `null` when that takes longer than `waitMs`. The promise itself goes on. */
export function settleWithin<Value>(
  promise: Promise<Value>,
  waitMs: number,
  clock: Clock,
): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(waitMs, () => resolve(null));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

import type { Clock } from '@ai-fabric/shared';

/** What `work` says; `late` when the deadline or the signal came first. The work goes on all the same. */
export function raceWithin<Value>(
  work: Promise<Value>,
  {
    deadlineMs,
    late,
    signal,
    clock,
  }: {
    readonly deadlineMs: number;
    readonly late: Value;
    readonly signal?: AbortSignal;
    readonly clock: Clock;
  },
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
      finish();
    };
    const giveUp = (): void => settle(() => resolve(late));
    const timer = clock.after(deadlineMs, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

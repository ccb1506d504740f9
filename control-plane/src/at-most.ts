import type { Clock } from '@ai-fabric/shared';

/** Resolves when the work is done, or when it took `ms`; the work goes on. It must not reject. */
export function atMost(ms: number, work: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    void work.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

import type { Clock } from '@ai-fabric/shared';

/** Resolves when it has settled, or after so long. */
export function settledWithin(settled: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    void settled.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

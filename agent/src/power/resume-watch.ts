import type { Clock } from '@ai-fabric/shared';
import { judgeResume, type SleepLook } from './decide/judge-resume.js';

export interface ResumeWatchOptions {
  readonly clock: Clock;
  /** Elapsed milliseconds with the time that the machine slept, where the system can tell. */
  readonly elapsedMs: () => number;
  /** So long without a look means sleep, where the clocks cannot tell; `null`: they can. */
  readonly silenceMs: number | null;
  /** Called at once, in the middle of whatever asked for the time. */
  readonly onNoticed: () => void;
  /** Called soon after. */
  readonly onResume: (sleptMs: number) => void;
}

/**
 * Notices that the machine slept. It has no timer of its own, which would wake an idle process once more: it looks
 * whenever somebody asks for the elapsed time, which the reporter does with each sample.
 *
 * @returns what is to be asked instead of `elapsedMs`
 */
export function watchResume({
  clock,
  elapsedMs,
  silenceMs,
  onNoticed,
  onResume,
}: ResumeWatchOptions): () => number {
  const look = (): SleepLook => ({ monotonicMs: clock.monotonicMs(), elapsedMs: elapsedMs() });
  let before = look();
  return () => {
    const now = look();
    const sleptMs = judgeResume(before, now, silenceMs);
    before = now;
    if (sleptMs !== null) {
      onNoticed();
      clock.after(0, () => onResume(sleptMs));
    }
    return now.elapsedMs;
  };
}

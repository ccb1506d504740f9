import type { ReplicaPhase } from '@ai-fabric/shared';

/** How long a phase usually takes, in seconds. */
export interface UsualTimes {
  readonly p50: number;
  readonly p95: number;
}

/** The last durations of the phases of one model, in seconds, oldest first. */
export type PhaseTimes = Readonly<Partial<Record<TimedPhase, readonly number[]>>>;

export const timedPhases = ['pulling', 'creating', 'starting', 'loading', 'warming'] as const;
export type TimedPhase = (typeof timedPhases)[number];

const KEPT = 16;

export function isTimedPhase(phase: ReplicaPhase): phase is TimedPhase {
  return timedPhases.some((timed) => timed === phase);
}

/** Remembers one more duration; the oldest give way. */
export function addPhaseTime(times: PhaseTimes, phase: TimedPhase, seconds: number): PhaseTimes {
  const rounded = Math.round(seconds * 10) / 10;
  return { ...times, [phase]: [...(times[phase] ?? []), rounded].slice(-KEPT) };
}

/** Nearest-rank quantiles; `null` where nothing was timed. */
export function usualPhaseTime(times: PhaseTimes, phase: TimedPhase): UsualTimes | null {
  const sorted = [...(times[phase] ?? [])].sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return sorted.length === 0 ? null : { p50: rank(0.5), p95: rank(0.95) };
}

/**
 * What became of a phase that was left: it is worth remembering only where it led on, since a load that failed says
 * nothing of how long one takes.
 */
export function isPhaseDone(left: TimedPhase, entered: ReplicaPhase): boolean {
  const order: readonly ReplicaPhase[] = [...timedPhases, 'ready'];
  return order.indexOf(entered) > order.indexOf(left);
}

import type { Issue, ReplicaProgress, ReplicaStatus } from '@ai-fabric/shared';
import type { KeptState } from './container-state.js';

/** Whether two states differ in nothing but when the next look is due and what was proven. */
export function isAlike(before: KeptState, after: KeptState): boolean {
  const keys = ['phase', 'detail', 'trouble', 'engineTrouble', 'seen', 'failures'] as const;
  const more = ['progress', 'engineVersion', 'maxModelLen', 'rung', 'restartsDone'] as const;
  return keys.every((key) => before[key] === after[key]) && more.every((key) => before[key] === after[key]);
}

/** All of which a change is worth telling at once: not the readings, but for the queue; not the time that passes. */
export function keptSignature(told: {
  readonly status: ReplicaStatus;
  /** What the engine last said while it loads. */
  readonly loading: string | null;
  readonly pull: ReplicaProgress | null;
  readonly issues: readonly Issue[];
  readonly waiting: number | null;
}): string {
  const { phaseSeconds: _, progress: __, usualPhaseSeconds: ___, ...status } = told.status;
  const issues = told.issues.map(({ code }) => code);
  return JSON.stringify([status, told.loading, pulled(told.pull), issues, told.waiting]);
}

const PULL_STEPS = 50;

/** Told in steps of two in a hundred: a pull says something thousands of times. */
function pulled(pull: ReplicaProgress | null): string | number | null {
  if (pull === null || pull.doneBytes === null || !pull.totalBytes) return pull?.text ?? null;
  return Math.floor((pull.doneBytes / pull.totalBytes) * PULL_STEPS);
}

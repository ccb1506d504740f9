import type { StepKind } from './container-step.js';

/** What may end a step before it is done. */
export type Interruption =
  /** Something was heard of its container. */
  | 'heard'
  /** Its container ended. */
  | 'died'
  /** Its machine slept. */
  | 'slept'
  /** The declaration changed. */
  | 'declared';

/** Steps that only look: nothing is half done when they are left. */
const LOOKS: ReadonlySet<StepKind> = new Set([
  'find_image',
  'check_disk',
  'look_cache',
  'check_fit',
  'check_gpu',
  'list_models',
  'check_asleep',
  'check_health',
  'prove',
]);

/** Steps of a replica that nothing happens to. They leave nothing behind on their signal: one serves them all. */
export function isIdle(step: StepKind): boolean {
  return step === 'wait_until' || step === 'check_health';
}

/**
 * Whether a step is left at once. What changes a container is never left: whether it came to be would be unknown.
 * A pull is left for another declaration alone; its whole layers stay.
 */
export function judgeInterruption(step: StepKind, by: Interruption): boolean {
  if (step === 'wait_until') return true;
  if (by === 'heard') return false;
  if (LOOKS.has(step)) return true;
  return (step === 'drain' || step === 'pull') && (by === 'declared' || step === 'drain');
}

import type { KeptState } from './container-state.js';
import type { StepKind } from './container-step.js';

/**
 * Whether a replica that is held down has given its card back.
 *
 * @param step the one that is under way: only at rest it is known
 */
export function isCardFree(state: KeptState, step: StepKind): boolean {
  if (step === 'finish') return true;
  if (step !== 'wait_until' || state.containerEngine === 'unknown') return false;
  const { seen, stale, proof, containerEngine } = state;
  // Of a container engine that is away nothing newer will be known; what it never showed us is not ours to wait for.
  if (stale && containerEngine === 'reachable') return false;
  if (seen.kind !== 'kept') return true;
  return (seen.run !== 'running' && seen.run !== 'paused') || proof.asleep === true;
}

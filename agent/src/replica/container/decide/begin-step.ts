import { enterPhase, type KeptState } from './container-state.js';
import type { ContainerStep } from './container-step.js';

/** What is true as soon as a step is under way. */
export function beginStep(state: KeptState, step: ContainerStep, nowMs: number): KeptState {
  switch (step.kind) {
    case 'pull':
      // While the old container serves, the new image comes in unseen.
      if (state.phase === 'ready') return state;
      return enterPhase(state, 'pulling', `Fetching ${step.image}.`, nowMs);
    case 'create':
      return enterPhase(state, 'creating', null, nowMs);
    case 'start':
      return enterPhase(state, 'starting', null, nowMs);
    case 'drain':
      return enterPhase(state, 'draining', `${step.why} Its open requests are waited for.`, nowMs);
    case 'stop':
    case 'remove':
      return enterPhase(state, 'stopping', step.why, nowMs);
    case 'prove':
      return state.phase === 'ready' || state.phase === 'failed'
        ? state
        : enterPhase(state, 'warming', 'Waiting for a first token from it.', nowMs);
    case 'park':
      return enterPhase(state, 'draining', 'It is put to sleep.', nowMs);
    case 'unpark':
      return enterPhase(state, 'warming', 'It is woken up.', nowMs);
    default:
      return state;
  }
}

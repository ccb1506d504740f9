import type { KeptState } from './container-state.js';
import type { Wanted } from './plan-input.js';

/** The declaration changed: what was waited for is not waited for any longer, and old failures count no more. */
export function changeWanted(state: KeptState, before: Wanted, after: Wanted, nowMs: number): KeptState {
  return {
    ...state,
    dueMs: nowMs,
    failures: 0,
    trouble: null,
    troubleStep: null,
    fitAtMs: null,
    weighedAtMs: null,
    diskAtMs: null,
    image: before.image === after.image && state.image === 'present' ? 'present' : 'unknown',
    stale: true,
    // What listed another name, or answered another task, is to be asked anew.
    ...(before.servedModel === after.servedModel && before.task === after.task
      ? {}
      : { proof: { ...state.proof, listed: false, token: false } }),
  };
}

import { enterPhase, type KeptState, noProof } from './container-state.js';

/**
 * Its machine slept, and cards often do not survive that: what was proven is to be proven again before a request is let
 * in. It has as long for it as an engine that was just started.
 */
export function doubtKept(state: KeptState, nowMs: number): KeptState {
  const doubted: KeptState = { ...state, proof: noProof, stale: true, dueMs: nowMs };
  if (state.phase !== 'ready' && state.phase !== 'warming') return doubted;
  const detail = 'The machine slept: its card and its token are proven again.';
  return { ...enterPhase(doubted, 'warming', detail, nowMs), runSinceMs: nowMs };
}

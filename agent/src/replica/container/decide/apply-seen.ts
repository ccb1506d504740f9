import { enterPhase, type KeptContainer, type KeptState, noProof, type Seen } from './container-state.js';

/** What is known after a look at the container. */
export function applySeen(state: KeptState, seen: Seen, nowMs: number): KeptState {
  const looked: KeptState = { ...state, seen, stale: false };
  if (isSame(state.seen, seen)) {
    return seen.kind === 'kept' && seen.run === 'running' ? { ...looked, expected: seen.id } : looked;
  }
  // Something is another than it was: no wait that was begun before it counts.
  const fresh: KeptState = {
    ...looked,
    dueMs: nowMs,
    proof: noProof,
    readySinceMs: state.readySinceMs,
    drained: false,
    runSinceMs: null,
    engineVersion: null,
    maxModelLen: null,
    trouble: state.troubleStep === 'give_up' ? null : state.trouble,
  };
  if (seen.kind === 'kept' && seen.run === 'running') {
    return {
      ...enterPhase(fresh, 'starting', null, nowMs),
      runSinceMs: nowMs,
      readySinceMs: null,
      expected: seen.id,
    };
  }
  if (isUp(state)) {
    const detail = seen.kind === 'kept' ? 'The container ended.' : 'The container is gone.';
    return enterPhase(fresh, seen.kind === 'kept' ? 'starting' : 'absent', detail, nowMs);
  }
  return fresh;
}

function isUp({ phase }: KeptState): boolean {
  return (
    phase === 'starting' ||
    phase === 'loading' ||
    phase === 'warming' ||
    phase === 'ready' ||
    phase === 'parked'
  );
}

/** One run of one container, whatever else may be told of it by now. */
function isSame(before: Seen, after: Seen): boolean {
  if (before.kind !== after.kind) return false;
  if (before.kind === 'kept') return isSameRun(before, after as KeptContainer);
  if (before.kind === 'none' || before.kind === 'unknown') return true;
  return before.id === (after as { readonly id: string }).id;
}

function isSameRun(before: KeptContainer, after: KeptContainer): boolean {
  if (before.id !== after.id || before.run !== after.run) return false;
  return after.run !== 'running' || before.startedAtMs === after.startedAtMs;
}

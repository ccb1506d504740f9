import type { LookResult } from '../../decide/replica-observation.js';
import type { ApplyContext } from './apply-step-result.js';
import { enterPhase, type KeptState } from './container-state.js';
import type { ContainerStep } from './container-step.js';
import { nextReadyLookMs } from './next-ready-look.js';
import { HEALED_MS } from './plan-restart-delay.js';

/** A start takes a minute or more: looked at often, since somebody may wait for it. */
const LOADING_LOOK_MS = 500;
const FULL_RETRY_MS = 2_000;
const MISSING_RETRY_MS = 5_000;
const PROOF_RETRY_MS = 5_000;
/** A busy engine may be late with one answer. */
const MISSES_ALLOWED = 2;
const MISS_RETRY_MS = 500;

/** What is known after a look at the engine in the container. */
export function applyEngineLook(
  state: KeptState,
  step: ContainerStep,
  look: LookResult,
  { wanted, nowMs }: ApplyContext,
): KeptState {
  switch (look.kind) {
    case 'models':
      return applyModels(state, look, wanted.servedModel, nowMs);
    case 'healthy':
      return applyHealth(state, nowMs);
    case 'proved':
      return { ...state, dueMs: nowMs, proof: { ...state.proof, token: true, failedProofs: 0, misses: 0 } };
    case 'proof_failed':
      return {
        ...enterPhase(state, 'warming', look.detail, nowMs),
        dueMs: nowMs + PROOF_RETRY_MS,
        stale: true,
        proof: { ...state.proof, token: false, failedProofs: state.proof.failedProofs + 1 },
      };
    case 'full':
      return { ...state, detail: look.detail, dueMs: nowMs + FULL_RETRY_MS };
    case 'refused':
    case 'silent':
    case 'odd':
      return step.kind === 'check_asleep'
        ? missSleep(state, look.detail, wanted.held !== null, nowMs)
        : miss(state, look, nowMs);
    default:
      return look satisfies never;
  }
}

/** Whoever wants the card does not wait for an engine that may tell later: what does not say that it sleeps is awake. */
function missSleep(state: KeptState, detail: string, held: boolean, nowMs: number): KeptState {
  if (held) return { ...state, dueMs: nowMs, proof: { ...state.proof, asleep: false, token: false } };
  return {
    ...enterPhase(state, 'loading', `It does not tell whether it sleeps: ${detail}`, nowMs),
    dueMs: nowMs + LOADING_LOOK_MS,
  };
}

function applyModels(
  state: KeptState,
  look: Extract<LookResult, { kind: 'models' }>,
  servedModel: string,
  nowMs: number,
): KeptState {
  const model = look.models.find(({ id }) => id === servedModel);
  if (model === undefined) {
    const lists = look.models.map(({ id }) => id).slice(0, 5);
    const listed = lists.length > 0 ? `it lists ${lists.join(', ')}` : 'it lists none';
    const detail = `The engine answers, but does not serve ${servedModel}: ${listed}.`;
    return {
      ...enterPhase(state, 'loading', detail, nowMs),
      dueMs: nowMs + MISSING_RETRY_MS,
      proof: { ...state.proof, listed: false, token: false },
    };
  }
  return {
    ...state,
    engineVersion: look.engineVersion,
    maxModelLen: model.maxModelLen,
    dueMs: state.phase === 'ready' ? nextReadyLookMs(nowMs) : nowMs,
    proof: { ...state.proof, listed: true, listedAtMs: nowMs, misses: 0 },
  };
}

/** A ready engine is given the benefit of the doubt, and is looked at again at once. */
function miss(
  state: KeptState,
  look: Extract<LookResult, { kind: 'refused' | 'silent' | 'odd' }>,
  nowMs: number,
): KeptState {
  const { proof } = state;
  if (state.phase === 'ready' && look.kind !== 'refused' && proof.misses < MISSES_ALLOWED) {
    return { ...state, dueMs: nowMs + MISS_RETRY_MS, proof: { ...proof, misses: proof.misses + 1 } };
  }
  const wasReady = state.phase === 'ready';
  return {
    ...enterPhase(state, 'loading', wasReady ? look.detail : null, nowMs),
    dueMs: nowMs + LOADING_LOOK_MS,
    // It was there: whether its container still is, and since when it is not ready, is counted anew.
    stale: state.stale || wasReady,
    runSinceMs: wasReady ? nowMs : state.runSinceMs,
    readySinceMs: null,
    proof: { ...proof, listed: false, token: false, asleep: null, misses: 0 },
  };
}

function applyHealth(state: KeptState, nowMs: number): KeptState {
  const { proof, readySinceMs } = state;
  const isHealed = readySinceMs !== null && nowMs - readySinceMs >= HEALED_MS;
  return {
    ...state,
    dueMs: nextReadyLookMs(nowMs),
    failures: isHealed ? 0 : state.failures,
    proof: proof.misses === 0 ? proof : { ...proof, misses: 0 },
  };
}

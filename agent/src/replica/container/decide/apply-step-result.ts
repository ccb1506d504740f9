import { applyEngineLook } from './apply-engine-look.js';
import { applySeen } from './apply-seen.js';
import { enterPhase, type KeptContainer, type KeptState, noProof } from './container-state.js';
import type { ContainerStep, StepOf, StepResult } from './container-step.js';
import type { Trouble } from './container-trouble.js';
import { type FailContext, failKept } from './fail-kept.js';
import { nextReadyLookMs } from './next-ready-look.js';
import type { Wanted } from './plan-input.js';

export interface ApplyContext extends FailContext {
  readonly wanted: Wanted;
}

const ENGINE_AGAIN_MS = 5_000;
/** The memory of a card comes and goes with other programs. */
const FIT_AGAIN_MS = 15_000;
/** Somebody has to make room. */
const DISK_AGAIN_MS = 60_000;
const NAME_AGAIN_MS = 60_000;
const GPU_AGAIN_MS = 2_000;
const CHANGED_AGAIN_MS = 1_000;

/** What is known after a step. Total: every result has a meaning after every step. */
export function applyStepResult(
  state: KeptState,
  step: ContainerStep,
  result: StepResult,
  context: ApplyContext,
): KeptState {
  const { nowMs } = context;
  switch (result.kind) {
    case 'done':
      return applyDone(clearTrouble(state, step), step, context);
    case 'aborted':
      return { ...state, dueMs: nowMs, stale: true };
    case 'changed':
      // Where nothing is seen to have changed, the same step is not taken again at once.
      return { ...state, stale: true, dueMs: nowMs + CHANGED_AGAIN_MS };
    case 'engine_away':
      return applyAway(state, result.trouble, nowMs);
    case 'failed':
      return applyFailure(state, step, result, context);
    case 'seen':
      return applySeen(state, result.seen, nowMs);
    case 'image':
      return { ...clearTrouble(state, step), image: result.present ? 'present' : 'missing' };
    case 'created':
      return {
        ...applySeen(clearTrouble(state, step), result.seen, nowMs),
        restartsDone: context.wanted.restartCount,
        remake: null,
      };
    case 'gpu_missing':
      return missGpu(state, result.detail, nowMs);
    case 'asleep':
      return { ...state, proof: { ...state.proof, asleep: result.asleep } };
    case 'ended':
      return applyEnd(state, step, result, context);
    case 'looked':
      return applyEngineLook(state, step, result.look, context);
    default:
      return result satisfies never;
  }
}

function applyDone(state: KeptState, step: ContainerStep, { wanted, nowMs }: ApplyContext): KeptState {
  switch (step.kind) {
    case 'probe_engine':
      return { ...state, containerEngine: 'reachable', engineTrouble: null, stale: true, dueMs: nowMs };
    case 'pull':
      return { ...state, image: 'present', progress: null };
    case 'check_fit':
      return { ...state, fitAtMs: nowMs };
    case 'check_disk':
      return { ...state, diskAtMs: nowMs };
    case 'look_cache':
      return step.fetches
        ? { ...state, weighedAtMs: nowMs }
        : { ...state, proof: { ...state.proof, weighed: true } };
    case 'start':
      return {
        ...state,
        stale: true,
        expected: step.id,
        restartsDone: wanted.restartCount,
        runSinceMs: nowMs,
        proof: noProof,
        drained: false,
      };
    case 'check_gpu':
      return { ...state, proof: { ...state.proof, gpu: true, gpuAtMs: nowMs, gpuMisses: 0 } };
    case 'drain':
      return { ...state, drained: true };
    case 'stop':
      return ended(state, step.id);
    case 'remove':
      return { ...ended(state, step.id), seen: { kind: 'none' }, remake: null, stale: true };
    case 'park':
      return { ...state, drained: false, proof: { ...state.proof, asleep: true } };
    case 'unpark':
      // Weights came back from main memory: that they still make sense a token tells.
      return { ...state, proof: { ...state.proof, asleep: false, token: false }, runSinceMs: nowMs };
    case 'adopt':
      return { ...state, stale: true };
    case 'settle':
      return settled(state, step, nowMs);
    case 'finish':
    case 'wait_until':
    case 'inspect':
    case 'find_image':
    case 'create':
    case 'list_models':
    case 'check_asleep':
    case 'check_health':
    case 'prove':
    case 'read_end':
    case 'give_up':
      return state;
    default:
      return step satisfies never;
  }
}

function settled(state: KeptState, { phase, detail }: StepOf<'settle'>, nowMs: number): KeptState {
  return {
    ...enterPhase(state, phase, detail, nowMs),
    trouble: null,
    troubleStep: null,
    drained: false,
    readySinceMs: phase === 'ready' ? nowMs : null,
    dueMs: phase === 'ready' ? nextReadyLookMs(nowMs) : nowMs,
  };
}

/** We ended it ourselves: that it runs is not expected any more. */
function ended(state: KeptState, id: string): KeptState {
  const { seen } = state;
  const same = seen.kind === 'kept' && seen.id === id;
  const stopped: KeptContainer | null = same ? { ...seen, run: 'ended', startedAtMs: null } : null;
  return {
    ...state,
    seen: stopped ?? seen,
    expected: null,
    proof: noProof,
    drained: false,
    runSinceMs: null,
    readySinceMs: null,
    fitAtMs: null,
  };
}

function applyAway(state: KeptState, engineTrouble: Trouble, nowMs: number): KeptState {
  const away: KeptState = {
    ...state,
    containerEngine: 'away',
    engineTrouble,
    engineDueMs: nowMs + ENGINE_AGAIN_MS,
  };
  // An engine that answers goes on without the one that started it.
  return state.phase === 'ready' ? away : enterPhase(away, 'failed', engineTrouble.detail, nowMs);
}

function applyFailure(
  state: KeptState,
  step: ContainerStep,
  { trouble, outOfMemory }: Extract<StepResult, { kind: 'failed' }>,
  context: ApplyContext,
): KeptState {
  const { nowMs } = context;
  if (step.kind === 'check_fit') return hold(state, step, trouble, nowMs + FIT_AGAIN_MS, nowMs);
  if (step.kind === 'check_disk' || step.kind === 'look_cache') {
    return keepServing(state, hold(state, step, trouble, nowMs + DISK_AGAIN_MS, nowMs));
  }
  if (step.kind === 'give_up') return applyGivenUp(state, step, trouble, outOfMemory ?? false, context);
  const failed = failKept(state, step, trouble, { ...context, crash: false });
  // What a container was made with may be what is wrong: a card, a port, a path of the driver.
  if (step.kind === 'start' && !isAdopted(state)) return { ...failed, remake: step.id, stale: true };
  if (step.kind === 'create') return { ...failed, image: 'unknown' };
  if (step.kind === 'pull') return keepServing(state, failed);
  return step.kind === 'park' || step.kind === 'unpark' ? { ...failed, stale: true } : failed;
}

function applyGivenUp(
  state: KeptState,
  step: StepOf<'give_up'>,
  trouble: Trouble,
  outOfMemory: boolean,
  context: ApplyContext,
): KeptState {
  const { nowMs } = context;
  if (step.code === 'policy_refused') return hold(state, step, trouble, Number.POSITIVE_INFINITY, nowMs);
  if (step.code === 'name_taken' || step.stop === null) {
    return { ...hold(state, step, trouble, nowMs + NAME_AGAIN_MS, nowMs), proof: noProof };
  }
  const stopped = stepDown(ended(state, step.stop), outOfMemory, context);
  const failed = failKept(stopped, step, trouble, { ...context, crash: true });
  return step.code === 'gpu_not_in_container' ? { ...failed, remake: step.stop } : failed;
}

/** What is only made ready for the next container takes nothing from the one that serves. */
function keepServing(before: KeptState, after: KeptState): KeptState {
  if (before.phase !== 'ready') return after;
  const { phase, sinceMs, detail, readySinceMs } = before;
  return { ...after, phase, sinceMs, detail, readySinceMs };
}

/** Nothing that a try would change: it waits, and is said. */
function hold(
  state: KeptState,
  step: ContainerStep,
  trouble: Trouble,
  dueMs: number,
  nowMs: number,
): KeptState {
  return {
    ...enterPhase(state, 'failed', trouble.detail, nowMs),
    trouble,
    troubleStep: step.kind,
    dueMs,
    fitAtMs: null,
    weighedAtMs: null,
    diskAtMs: null,
    readySinceMs: null,
  };
}

function applyEnd(
  state: KeptState,
  step: ContainerStep,
  { trouble, outOfMemory }: Extract<StepResult, { kind: 'ended' }>,
  context: ApplyContext,
): KeptState {
  const loading = state.readySinceMs === null;
  const stepped = loading ? stepDown(state, outOfMemory, context) : state;
  return failKept({ ...stepped, expected: null }, step, trouble, { ...context, crash: true });
}

/** The card's memory was short: the next of the declared fallbacks, once each. */
function stepDown(state: KeptState, outOfMemory: boolean, { wanted }: ApplyContext): KeptState {
  if (!outOfMemory || state.rung >= wanted.fallbackCount) return state;
  return { ...state, rung: state.rung + 1 };
}

function missGpu(state: KeptState, detail: string, nowMs: number): KeptState {
  const gpuMisses = state.proof.gpuMisses + 1;
  return { ...state, detail, dueMs: nowMs + GPU_AGAIN_MS, proof: { ...state.proof, gpu: false, gpuMisses } };
}

function clearTrouble(state: KeptState, step: ContainerStep): KeptState {
  return state.troubleStep === step.kind ? { ...state, trouble: null, troubleStep: null } : state;
}

function isAdopted({ seen }: KeptState): boolean {
  return seen.kind === 'kept' && seen.adopted;
}

import type { KeptContainer, KeptState } from './container-state.js';
import type { ContainerStep } from './container-step.js';
import { isOfDeclaration } from './judge-container.js';
import { missingAdoption } from './missing-adoption.js';
import { type PlanInput, planNothing } from './plan-input.js';
import { planProof } from './plan-proof.js';

/** A card's free memory is true for so long. */
const FIT_FRESH_MS = 10_000;
/** Free room on a disk for so long. */
const DISK_FRESH_MS = 60_000;

/**
 * The next step towards the declared state. Total and pure: the same knowledge gives the same step. A container that
 * is not ours appears in no step but `adopt`.
 */
export function planContainerStep(input: PlanInput): ContainerStep {
  const { wanted, state, nowMs } = input;
  const { seen } = state;
  if (state.containerEngine !== 'reachable') return planWithoutEngine(input);
  // What happened is looked at, however long the wait is that it falls into.
  if (seen.kind === 'unknown' || state.stale) return { kind: 'inspect' };
  if (nowMs < state.dueMs) return { kind: 'wait_until', untilMs: state.dueMs };
  if (wanted.removed) return planRemoval(input);
  if (seen.kind === 'adoptable') {
    return input.refusal === null
      ? { kind: 'adopt', id: seen.id, name: seen.name }
      : refuse(input.refusal, null);
  }
  if (isOff(input)) return planOff(input);
  switch (seen.kind) {
    case 'foreign':
      return {
        kind: 'give_up',
        code: 'name_taken',
        detail: `A container that this agent did not make has the name ${seen.name}. It is not touched.`,
        fix: null,
        stop: null,
      };
    case 'none':
      return wanted.adopt === null ? planMaking(input) : giveUpAdoption(wanted.adopt, seen.near ?? []);
    case 'kept':
      return planKept(input, seen);
    default:
      return seen satisfies never;
  }
}

/** What runs is still an engine that answers: it is looked at over HTTP until the container engine is back. */
function planWithoutEngine(input: PlanInput): ContainerStep {
  const { wanted, state, nowMs } = input;
  if (state.containerEngine === 'unknown' || nowMs >= state.engineDueMs) return { kind: 'probe_engine' };
  if (state.phase !== 'ready' || wanted.wish !== 'running' || wanted.removed) {
    return { kind: 'wait_until', untilMs: state.engineDueMs };
  }
  if (nowMs < state.dueMs) return { kind: 'wait_until', untilMs: Math.min(state.dueMs, state.engineDueMs) };
  return { kind: 'check_health' };
}

function giveUpAdoption(name: string, near: readonly string[]): ContainerStep {
  const { code, detail, fix } = missingAdoption(name, near);
  return { kind: 'give_up', code, detail, fix, stop: null };
}

/** Parked without sleep mode, or with a container that does not run: it stays, or is made, stopped. */
function isOff({ wanted, state: { seen, proof }, parkingRefusal }: PlanInput): boolean {
  if (wanted.wish === 'stopped') return true;
  if (wanted.wish !== 'parked' || proof.asleep === true) return false;
  if (parkingRefusal !== null || seen.kind !== 'kept' || seen.run !== 'running') return true;
  // Whoever wants the card does not wait until it has loaded, to put it to sleep then.
  return wanted.held !== null && proof.asleep === false && !proof.token;
}

function planOff(input: PlanInput): ContainerStep {
  const { wanted, state, parkingRefusal } = input;
  const { seen } = state;
  if (seen.kind === 'kept' && (seen.run === 'running' || seen.run === 'paused')) {
    const declared =
      wanted.wish === 'stopped' ? 'It is declared stopped.' : `It is parked: ${parkingRefusal}`;
    return planStop(input, seen, wanted.held ?? declared);
  }
  if (wanted.held !== null) return planNothing(state, 'absent', `Stopped: ${wanted.held}`);
  const detail =
    wanted.wish === 'stopped'
      ? 'Stopped, as declared.'
      : `Parked by stopping it${parkingRefusal === null ? '.' : `: ${parkingRefusal}`}`;
  return planNothing(state, 'absent', detail);
}

function planRemoval(input: PlanInput): ContainerStep {
  const { seen } = input.state;
  // An adopted container was there before us: it is let go as it is.
  if (seen.kind !== 'kept' || seen.adopted) return { kind: 'finish' };
  if (seen.run === 'running') return planStop(input, seen, 'The deployment is gone.');
  return { kind: 'remove', id: seen.id, why: 'The deployment is gone.' };
}

function planMaking(input: PlanInput): ContainerStep {
  const { state, refusal, nowMs } = input;
  if (refusal !== null) return refuse(refusal, null);
  const fetching = planFetching(input);
  if (fetching !== null) return fetching;
  return { kind: isFitFresh(state, nowMs) ? 'create' : 'check_fit' };
}

/** What has to be here before a container is made, and whether there is room for it. */
function planFetching({ wanted: { image }, state, cacheIsWhole, nowMs }: PlanInput): ContainerStep | null {
  if (state.image === 'unknown') return { kind: 'find_image', image };
  if (state.image === 'missing') return { kind: isDiskFresh(state, nowMs) ? 'pull' : 'check_disk', image };
  return cacheIsWhole !== true && state.weighedAtMs === null ? { kind: 'look_cache', fetches: true } : null;
}

function planKept(input: PlanInput, seen: KeptContainer): ContainerStep {
  const { wanted, refusal } = input;
  if (seen.standsIn !== null) return planRunning(input, seen);
  const isAsDeclared = seen.adopted || seen.specHash === wanted.specHash;
  if (refusal !== null && !seen.adopted && isOfDeclaration(seen.specHash, wanted.specHash)) {
    // The owner's word changed after it was made.
    return seen.run === 'running' ? planStop(input, seen, refusal.detail) : refuse(refusal, null);
  }
  // A refused change changes nothing: what runs goes on.
  if (!isAsDeclared && refusal === null) return planReplacing(input, seen);
  const why = seen.adopted ? null : reasonToRemake(input, seen);
  return why === null ? planRunning(input, seen) : { kind: 'remove', id: seen.id, why };
}

/**
 * Why a container of ours is made anew; `null`: it is not. One that runs is left alone: how it was made matters when it
 * is started. It loads without the hub though not all is here, or asks the hub though all is, once for each time that
 * the cache turned out to be another.
 */
function reasonToRemake(input: PlanInput, { id, run, offline }: KeptContainer): string | null {
  const { state, cacheIsWhole } = input;
  if (run === 'paused') return 'It was paused by hand.';
  if (run === 'running' || state.expected === id) return null;
  if (state.remake === id) return 'It has to be made anew.';
  const isForOtherCache = offline !== null && cacheIsWhole !== null && offline !== cacheIsWhole;
  return isForOtherCache ? 'What its model’s cache holds is another than it was made for.' : null;
}

/** The container is the one that is to run. */
function planRunning(input: PlanInput, seen: KeptContainer): ContainerStep {
  const { wanted, state, nowMs } = input;
  switch (seen.run) {
    case 'paused':
      return pausedByHand(seen);
    case 'created':
    case 'ended':
      if (state.expected === seen.id) return { kind: 'read_end', id: seen.id };
      if (seen.adopted || isFitFresh(state, nowMs)) return { kind: 'start', id: seen.id };
      return { kind: 'check_fit' };
    case 'running':
      if (wanted.restartCount !== state.restartsDone)
        return planStop(input, seen, 'A restart was asked for.');
      return planProof(input, seen);
    default:
      return seen.run satisfies never;
  }
}

function pausedByHand({ name }: KeptContainer): ContainerStep {
  return {
    kind: 'give_up',
    code: 'engine_unreachable',
    detail: `The container ${name} was paused by hand.`,
    fix: `On the host: docker unpause ${name} (or podman unpause ${name}).`,
    stop: null,
  };
}

/** The new image is fetched, and room looked for, while the old container serves. */
function planReplacing(input: PlanInput, seen: KeptContainer): ContainerStep {
  const fetching = planFetching(input);
  if (fetching !== null) return fetching;
  if (seen.run === 'running') return planStop(input, seen, 'Its declaration changed.');
  return { kind: 'remove', id: seen.id, why: 'Its declaration changed.' };
}

function planStop({ state, inFlight }: PlanInput, { id, run }: KeptContainer, why: string): ContainerStep {
  if (run === 'running' && inFlight > 0 && !state.drained) return { kind: 'drain', why };
  return { kind: 'stop', id, why };
}

function refuse(
  { rule, detail }: { readonly rule: string; readonly detail: string },
  stop: string | null,
): ContainerStep {
  return {
    kind: 'give_up',
    code: 'policy_refused',
    detail: `The host's policy refuses it (${rule}): ${detail}`,
    fix: null,
    stop,
  };
}

function isDiskFresh({ diskAtMs }: KeptState, nowMs: number): boolean {
  return diskAtMs !== null && nowMs - diskAtMs < DISK_FRESH_MS;
}

function isFitFresh({ fitAtMs }: KeptState, nowMs: number): boolean {
  return fitAtMs !== null && nowMs - fitAtMs < FIT_FRESH_MS;
}

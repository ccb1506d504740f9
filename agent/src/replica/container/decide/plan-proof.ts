import type { KeptContainer } from './container-state.js';
import type { ContainerStep } from './container-step.js';
import { type PlanInput, planNothing } from './plan-input.js';

/** A container that was made anew may have lost its card without ending (systemd's daemon-reload does that). */
const GPU_AGAIN_MS = 300_000;
const RELIST_MS = 60_000;
/** So often is a card looked for before it is said to be missing: a driver that wakes up takes a moment. */
const GPU_MISSES_ALLOWED = 2;
const FAILED_PROOFS_ALLOWED = 3;

/** A running container: ready only after its card was seen inside, the model is listed and a token came. */
export function planProof(input: PlanInput, seen: KeptContainer): ContainerStep {
  const { wanted, state, cacheIsWhole, nowMs } = input;
  const { proof } = state;
  // What is held down is not proven: only whether it sleeps, or has to be stopped.
  if (wanted.held !== null && wanted.parkable && proof.asleep === null) return { kind: 'check_asleep' };
  const stop = seen.adopted ? null : seen.id;
  if (wanted.hasGpu && proof.gpuMisses > GPU_MISSES_ALLOWED) {
    const detail = state.detail ?? 'The card is not to be seen inside the container.';
    return { kind: 'give_up', code: 'gpu_not_in_container', detail, fix: fixOfMissingCard(seen), stop };
  }
  if (proof.failedProofs >= FAILED_PROOFS_ALLOWED) {
    const detail = state.detail ?? 'It brings no token.';
    return { kind: 'give_up', code: 'engine_proof_failed', detail, fix: null, stop };
  }
  if (wanted.hasGpu && (!proof.gpu || nowMs - proof.gpuAtMs >= GPU_AGAIN_MS)) {
    return { kind: 'check_gpu', id: seen.id };
  }
  if (!proof.listed) return planLoading(input, seen, 'list_models');
  const sleep = planSleep(input, seen);
  if (sleep !== null) return sleep;
  if (!proof.token) return { kind: 'prove' };
  if (state.phase !== 'ready') return planNothing(state, 'ready', null);
  if (cacheIsWhole !== true && !proof.weighed && !seen.adopted) return { kind: 'look_cache', fetches: false };
  return nowMs - proof.listedAtMs >= RELIST_MS ? { kind: 'list_models' } : { kind: 'check_health' };
}

/** A container that is only kept is not made anew: nobody but its owner knows how. */
function fixOfMissingCard({ name, adopted, standsIn }: KeptContainer): string {
  const then =
    adopted || standsIn !== null
      ? `then restart it on the host: docker restart ${name} (or podman restart ${name})`
      : 'the container is made anew by itself';
  return `See that nvidia-smi works on the host and that the NVIDIA container toolkit is installed; ${then}.`;
}

/** @param look what it has to answer next */
function planLoading(
  { wanted, state, nowMs }: PlanInput,
  seen: KeptContainer,
  look: 'list_models' | 'check_asleep',
): ContainerStep {
  const waitedMs = nowMs - (state.runSinceMs ?? nowMs);
  if (waitedMs < wanted.readyWithinMs) return { kind: look };
  const seconds = Math.round(wanted.readyWithinMs / 1_000);
  const word = look === 'list_models' ? state.progress?.text : state.detail;
  const last = word ? ` Its last word: ${word}.` : '';
  return {
    kind: 'give_up',
    code: 'load_timeout',
    detail: `It did not get ready within ${seconds} s.${last}`,
    fix: null,
    stop: seen.adopted ? null : seen.id,
  };
}

function planSleep(input: PlanInput, seen: KeptContainer): ContainerStep | null {
  const { wanted, state, inFlight } = input;
  if (!wanted.parkable) return null;
  const { asleep } = state.proof;
  if (asleep === null) return planLoading(input, seen, 'check_asleep');
  if (wanted.wish === 'parked') {
    if (asleep) return planNothing(state, 'parked', parkedDetail(wanted.held));
    // What never brought a token is not known to wake up again.
    if (!state.proof.token) return { kind: 'prove' };
    if (inFlight > 0 && !state.drained)
      return { kind: 'drain', why: wanted.held ?? 'It is declared parked.' };
    return { kind: 'park' };
  }
  return asleep ? { kind: 'unpark' } : null;
}

function parkedDetail(held: string | null): string {
  const detail = 'Its card is free; its weights wait in main memory.';
  return held === null ? detail : `${held} ${detail}`;
}

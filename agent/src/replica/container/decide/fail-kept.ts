import { enterPhase, type KeptState } from './container-state.js';
import type { ContainerStep } from './container-step.js';
import type { Trouble } from './container-trouble.js';
import { LOOP_FAILURES, planRestartDelay } from './plan-restart-delay.js';

export interface FailContext {
  readonly nowMs: number;
  /** A random number in [0, 1), drawn by whoever calls. */
  readonly lot: number;
}

/** One more failure: said, and tried again after a wait that grows. `crash`: an engine that ran. */
export function failKept(
  state: KeptState,
  step: ContainerStep,
  trouble: Trouble,
  { nowMs, lot, crash }: FailContext & { readonly crash: boolean },
): KeptState {
  const failures = state.failures + 1;
  const delayMs = planRestartDelay(failures, lot);
  const looping = crash && failures >= LOOP_FAILURES;
  const seconds = Math.max(1, Math.round(delayMs / 1_000));
  const counted = failures === 1 ? '' : `, ${failures} failures in a row`;
  return {
    ...enterPhase(
      state,
      looping ? 'crash_looping' : 'failed',
      `${trouble.detail} Tried again in ${seconds} s${counted}.`,
      nowMs,
    ),
    trouble,
    troubleStep: crash ? null : step.kind,
    failures,
    dueMs: nowMs + delayMs,
    fitAtMs: null,
    weighedAtMs: null,
    diskAtMs: null,
    readySinceMs: null,
    drained: false,
  };
}

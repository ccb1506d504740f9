import type { Task } from '@ai-fabric/shared';
import type { KeptState } from './container-state.js';
import type { ContainerStep } from './container-step.js';

/** What the plan must know of the declaration. */
export interface Wanted {
  /** As declared, or as what holds it down asks for. */
  readonly wish: 'running' | 'parked' | 'stopped';
  /** Why it is held down, whatever is declared; `null`: it is not. */
  readonly held: string | null;
  /** The deployment is gone from the declared state: what we made for it goes too. */
  readonly removed: boolean;
  readonly image: string;
  readonly specHash: string;
  readonly servedModel: string;
  readonly task: Task;
  readonly restartCount: number;
  readonly hasGpu: boolean;
  readonly readyWithinMs: number;
  readonly drainWithinSeconds: number;
  /** Sleep mode is on in its container. */
  readonly parkable: boolean;
  readonly fallbackCount: number;
  /** The name of the container to adopt. */
  readonly adopt: string | null;
}

export interface PlanInput {
  readonly wanted: Wanted;
  readonly state: KeptState;
  /** What the host's owner does not allow; `null`: all is allowed. */
  readonly refusal: { readonly rule: string; readonly detail: string } | null;
  /** Of what is to be parked, why it cannot give its card back by sleeping; `null`: it can. */
  readonly parkingRefusal: string | null;
  /** Whether all that it loads is in the cache of this host; `null`: nobody looked. */
  readonly cacheIsWhole: boolean | null;
  /** Open requests. */
  readonly inFlight: number;
  readonly nowMs: number;
}

/** Says it once, then waits until something happens. */
export function planNothing(
  state: KeptState,
  phase: 'ready' | 'parked' | 'absent',
  detail: string | null,
): ContainerStep {
  if (state.phase === phase && state.detail === detail && state.trouble === null) {
    return { kind: 'wait_until', untilMs: Number.POSITIVE_INFINITY };
  }
  return { kind: 'settle', phase, detail };
}

import type { LookResult } from '../../decide/replica-observation.js';
import type { Seen } from './container-state.js';
import type { ContainerIssueCode, Trouble } from './container-trouble.js';

/** What each step needs. Steps are data: the plan makes them, a table carries them out. */
export interface StepArguments {
  /** Nothing before that time. `Infinity`: until something happens. */
  wait_until: { readonly untilMs: number };
  probe_engine: object;
  inspect: object;
  find_image: { readonly image: string };
  /** Is there room on the disk for the image? */
  check_disk: { readonly image: string };
  pull: { readonly image: string };
  /** What of the weights is in the cache; with `fetches`, is there room for what is not? */
  look_cache: { readonly fetches: boolean };
  /** Is there room on the card? */
  check_fit: object;
  create: object;
  start: { readonly id: string };
  /** Is the card to be seen inside? */
  check_gpu: { readonly id: string };
  list_models: object;
  check_asleep: object;
  check_health: object;
  /** One token, or one embedding: the only proof that counts. */
  prove: object;
  /** Nothing left to do: it is what it should be. */
  settle: { readonly phase: 'ready' | 'parked' | 'absent'; readonly detail: string | null };
  /** Waits for open requests, no longer than the declared time. */
  drain: { readonly why: string };
  stop: { readonly id: string; readonly why: string };
  remove: { readonly id: string; readonly why: string };
  park: object;
  unpark: object;
  adopt: { readonly id: string; readonly name: string };
  /** Reads why the container ended. */
  read_end: { readonly id: string };
  /** It came to nothing: said, and tried again later. With `stop` the container that is at fault is stopped first. */
  give_up: {
    readonly code: ContainerIssueCode;
    readonly detail: string;
    readonly fix: string | null;
    readonly stop: string | null;
  };
  /** The deployment is gone, and so is all that we made for it. */
  finish: object;
}

export type StepKind = keyof StepArguments;
export type ContainerStep = { [Kind in StepKind]: { readonly kind: Kind } & StepArguments[Kind] }[StepKind];
export type StepOf<Kind extends StepKind> = Extract<ContainerStep, { kind: Kind }>;

/** What came of a step. */
export type StepResult =
  | { readonly kind: 'done' }
  /** The desired state changed meanwhile, or the agent stops: nothing is to be concluded from it. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly trouble: Trouble; readonly outOfMemory?: boolean }
  /** The container engine does not answer. */
  | { readonly kind: 'engine_away'; readonly trouble: Trouble }
  /** The container was not there any more, or not as we thought. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'seen'; readonly seen: Seen }
  | { readonly kind: 'image'; readonly present: boolean }
  | { readonly kind: 'created'; readonly seen: Seen }
  | { readonly kind: 'gpu_missing'; readonly detail: string }
  | { readonly kind: 'asleep'; readonly asleep: boolean }
  | { readonly kind: 'ended'; readonly trouble: Trouble; readonly outOfMemory: boolean }
  | { readonly kind: 'looked'; readonly look: LookResult };

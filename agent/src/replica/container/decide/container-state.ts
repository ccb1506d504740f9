import type { ReplicaPhase } from '@ai-fabric/shared';
import type { StepKind } from './container-step.js';
import type { Trouble } from './container-trouble.js';
import type { LoadProgress } from './read-load-progress.js';

/** What the agent knows of one replica that it keeps. A value; all times are monotonic milliseconds. */
export interface KeptState {
  readonly phase: ReplicaPhase;
  /** When this phase began. */
  readonly sinceMs: number;
  /** No step before it. */
  readonly dueMs: number;
  /** Why it is as it is, in words. */
  readonly detail: string | null;
  readonly trouble: Trouble | null;
  /** The step that brought the trouble: when it holds, the trouble is over. */
  readonly troubleStep: StepKind | null;
  readonly containerEngine: 'unknown' | 'reachable' | 'away';
  /** Why the container engine is away. */
  readonly engineTrouble: Trouble | null;
  /** When the container engine is looked for again. */
  readonly engineDueMs: number;
  readonly seen: Seen;
  /** Something happened to the container since it was looked at. */
  readonly stale: boolean;
  readonly image: 'unknown' | 'missing' | 'present';
  /** When the card was last found to have room; `null`: not since the last try. */
  readonly fitAtMs: number | null;
  /** When its model's files in the cache were last looked at for a container to come; `null`: not since the last try. */
  readonly weighedAtMs: number | null;
  /** When the disk was last found to have room for the image; `null`: not since the last try. */
  readonly diskAtMs: number | null;
  readonly proof: Proof;
  /** Open requests have ended, or were given up: it may be stopped. */
  readonly drained: boolean;
  /** Since when this run of the container is under way: the readiness deadline counts from here. */
  readonly runSinceMs: number | null;
  /** The id of the container that we saw run, and so expect to run on. */
  readonly expected: string | null;
  /** The id of the container that has to be made anew instead of started. */
  readonly remake: string | null;
  /** Failures in a row. */
  readonly failures: number;
  readonly readySinceMs: number | null;
  /** `restartCount` that was carried out. */
  readonly restartsDone: number;
  /** How many fallbacks of the deployment are in force. */
  readonly rung: number;
  readonly progress: LoadProgress | null;
  readonly engineVersion: string | null;
  readonly maxModelLen: number | null;
}

/** The container that stands for the replica. */
export type Seen =
  | { readonly kind: 'unknown' }
  /** `near`: names of containers that are there, where the one that is to be adopted is not. */
  | { readonly kind: 'none'; readonly near?: readonly string[] }
  /** Somebody else's, under our name. Never touched. */
  | { readonly kind: 'foreign'; readonly id: string; readonly name: string }
  /** The one that we were told to adopt, and did not yet. */
  | { readonly kind: 'adoptable'; readonly id: string; readonly name: string }
  | KeptContainer;

export interface KeptContainer {
  readonly kind: 'kept';
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly adopted: boolean;
  readonly specHash: string | null;
  /** It was made to load without the hub; `null`: its label does not say. */
  readonly offline: boolean | null;
  readonly run: 'created' | 'running' | 'paused' | 'ended';
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** Wall clock, as the container engine has it: tells one run from the next. */
  readonly startedAtMs: number | null;
  /** Where the engine listens on this host. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** What differs from the declaration, in words. */
  readonly drift: readonly string[];
  /** Why the container that is to be adopted cannot be: this one, from before, goes on as it is. */
  readonly standsIn: Trouble | null;
}

/** Of one run of one container: gone with it. */
export interface Proof {
  readonly gpu: boolean;
  readonly gpuAtMs: number;
  readonly gpuMisses: number;
  readonly listed: boolean;
  readonly listedAtMs: number;
  readonly asleep: boolean | null;
  readonly token: boolean;
  readonly failedProofs: number;
  /** What it loaded is in the cache by now: looked at, so that the next one loads without the hub. */
  readonly weighed: boolean;
  /** Looks at a ready engine in a row that brought nothing. */
  readonly misses: number;
}

export const noProof: Proof = {
  gpu: false,
  gpuAtMs: 0,
  gpuMisses: 0,
  listed: false,
  listedAtMs: 0,
  asleep: null,
  token: false,
  failedProofs: 0,
  weighed: false,
  misses: 0,
};

/** Nothing is known yet. */
export function newKeptState(
  nowMs: number,
  known: { readonly restartsDone: number; readonly rung: number },
): KeptState {
  return {
    phase: 'absent',
    sinceMs: nowMs,
    dueMs: nowMs,
    detail: 'It was not looked at yet.',
    trouble: null,
    troubleStep: null,
    containerEngine: 'unknown',
    engineTrouble: null,
    engineDueMs: nowMs,
    seen: { kind: 'unknown' },
    stale: true,
    image: 'unknown',
    fitAtMs: null,
    weighedAtMs: null,
    diskAtMs: null,
    proof: noProof,
    drained: false,
    runSinceMs: null,
    expected: null,
    remake: null,
    failures: 0,
    readySinceMs: null,
    restartsDone: known.restartsDone,
    rung: known.rung,
    progress: null,
    engineVersion: null,
    maxModelLen: null,
  };
}

/** Enters a phase; its time begins anew only where it is another. */
export function enterPhase(
  state: KeptState,
  phase: ReplicaPhase,
  detail: string | null,
  nowMs: number,
): KeptState {
  const same = state.phase === phase;
  return {
    ...state,
    phase,
    detail,
    sinceMs: same ? state.sinceMs : nowMs,
    progress: same ? state.progress : null,
  };
}

import type { ReplicaPhase } from '@ai-fabric/shared';
import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  TargetCondition,
} from '../declared/declared-state.js';
import type { HostPower } from '../live/host-power.js';
import type { Presence } from '../live/live-view.js';
import type { RestCause } from './decide/step-cooldown.js';
import type { Rates, ReplicaLoad } from './predict/predict-types.js';

/** A replica as the deciders see it: what is declared, observed and counted, at one moment. */
export interface ReplicaCandidate {
  readonly kind: 'replica';
  /** The deployment's name. */
  readonly target: string;
  readonly deployment: DeclaredDeployment;
  /** Whether its host is expected to be away most of the time. */
  readonly mayBeAway: boolean;
  readonly presence: Presence;
  readonly draining: boolean;
  /** Of its host. */
  readonly power: HostPower;
  /**
   * Milliseconds until it is ready after a wake that begins now, or what is left of the one that is under way: as usual, and
   * honestly more where that is late. `null`: not known.
   */
  readonly wakeInMs: number | null;
  /** The wake that is under way takes longer than usual: who waits already may be served at any moment. */
  readonly isWakeLate: boolean;
  /** Its host's owner has the card, or is about to get it. */
  readonly yielded: boolean;
  /** `absent` also where nothing was ever observed. */
  readonly phase: ReplicaPhase;
  /** It failed, and nothing but somebody who signs in on its host brings it. */
  readonly needsSignIn: boolean;
  /** How long it is in this phase; `Infinity`: since before we looked. */
  readonly phaseForMs: number;
  /** It failed a moment ago while its agent still calls it ready: how much longer that counts as a restart; 0: not so. */
  readonly doubtForMs: number;
  /** What keeps it from being reached while its host is there. */
  readonly noWay: NoWay | null;
  /** For how long; `Infinity`: since before we looked. */
  readonly noWayForMs: number;
  /** Prompt and answer together; `null`: not known. */
  readonly contextTokens: number | null;
  /** Milliseconds until the breaker lets one request through; 0: it does now. */
  readonly blockedForMs: number;
  /** Milliseconds until an engine that said "my queue is full" is asked again; 0: it may be asked now. */
  readonly busyForMs: number;
  /** Our own open claims. Exact. */
  readonly inflight: number;
  /** How many there may be now: what is declared, or fewer while it starts slowly. */
  readonly slots: number;
  /** While it starts slowly: milliseconds for which the last of its slots is kept for a request that streams; 0: it is not. */
  readonly keptForMs: number;
  /** How long our requests held a slot lately, on average; `null` before the first one ended well. */
  readonly meanHoldMs: number | null;
  /** What is under way in its engine, ours and others'. */
  readonly load: ReplicaLoad;
  readonly rates: Rates;
  /** Of its engine, for as long as that is the same one. */
  readonly number: number;
  /** Share of what an engine was believed to have in its prefix cache that it turned out to have. */
  readonly hitTrust: number;
  /** Of its prompts, as its engine counts them. */
  readonly bytesPerToken: number;
  /** Whether that was learned well enough to be relied on. */
  readonly isDensityKnown: boolean;
}

export type NoWay =
  /** It is reached through a tunnel that is not there. */
  | { readonly reason: 'tunnel_down' }
  /** It is reached directly. `detail`: a phrase for people. */
  | { readonly reason: 'address_unknown'; readonly detail: string };

/** A provider's model. It has no slots that we know of: the provider itself says when it is busy. */
export interface CloudCandidate {
  readonly kind: 'provider';
  /** `provider/model`. */
  readonly target: string;
  readonly provider: DeclaredProvider;
  readonly model: DeclaredProviderModel;
  /** The declared key can be read, or none is declared. */
  readonly keyPresent: boolean;
  readonly blockedForMs: number;
  readonly busyForMs: number;
  /** Milliseconds until it may be asked again, by what it told; 0: now. */
  readonly restForMs: number;
  readonly restCause: RestCause;
  /** Of its limit, less what is under way; `Infinity`: not known. */
  readonly tokensLeft: number;
  /** Milliseconds until there are more. */
  readonly tokensInMs: number;
}

export type Candidate = ReplicaCandidate | CloudCandidate;

/**
 * Targets that compete. The next group is asked only when nobody in this one can serve. Deployments that stand
 * next to each other in a role form one group; each provider's model is a group of its own.
 */
export type CandidateGroup = GroupTerms &
  (
    | { readonly kind: 'replicas'; readonly candidates: readonly ReplicaCandidate[] }
    | { readonly kind: 'provider'; readonly candidate: CloudCandidate }
  );

/** What a role asks of a request before it may go there. */
export interface GroupTerms {
  /** Of each candidate, in their order. Left out: none has any. */
  readonly conditions?: readonly (TargetCondition | null)[];
  /**
   * Seconds: the group competes with those before it where they take longer, and is not asked where they do not. Left
   * out: it is asked when nobody before it can serve.
   */
  readonly opensAfterSeconds?: number;
}

import type { Task } from '@ai-fabric/shared';
import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  ProviderEndpoint,
  ResolvedModel,
} from '../declared/declared-state.js';
import type { RequestClass } from '../declared/request-class.js';
import type { Needs } from './needs.js';
import type { PrefixHashes } from './predict/prefix-index.js';

/** What the router needs to know of a request; the gateway fills it from the body's top-level fields. */
export interface RouteRequest {
  readonly resolved: ResolvedModel;
  readonly task: Task;
  /** What is asked of whoever serves it: providers that do not speak it are passed by. Left out: any speaks it. */
  readonly endpoint?: ProviderEndpoint;
  /** A rough count; `null` where the gateway did not estimate. */
  readonly estimatedPromptTokens: number | null;
  /** What the client allows the answer to have: engines count it to the prompt. `null` or left out: no bound. */
  readonly maxTokens?: number | null;
  /** Targets whose engines found this very request too long. */
  readonly foundTooLongBy?: ReadonlySet<string>;
  /** Targets that were tried for this request and failed: `deployment name` or `provider/model`. */
  readonly excluded: ReadonlySet<string>;
  /** Whether the key may use a provider. */
  readonly mayCloud: boolean;
  /** The client forbids providers for this request, whatever its key may. */
  readonly localOnly?: boolean;
  /** What it needs of a model beside text; left out, nothing. */
  readonly needs?: Needs;
  /** The client asks for this target of all that there are, as it is named in headers. `null` or left out: any. */
  readonly onlyTarget?: string | null;
  /** What it has been held already. */
  readonly waitedMs?: number;
  /** Whether `wait` is an answer; left out, it is not. */
  readonly mayWait?: boolean;
  /** Whether a sleeping host may be woken for it; left out, `not_asked`. */
  readonly wakes?: WakePermit;
  /** How urgent it is; left out, `normal`. */
  readonly requestClass?: RequestClass;
  /** What its client allows it to be held, in milliseconds; `null` or left out: as long as is declared. */
  readonly maxWaitMs?: number | null;
  /** What tells how long it will take; left out, the usual is assumed. */
  readonly hints?: RequestHints;
}

/**
 * Whether a request may wake a host: `key_forbids`; `in_vain`: the fleet was asked, and wakes none; `no_other`: the same, and none
 * beside those that are on their way; `not_asked`: a check or a listing.
 */
export type WakePermit = 'may' | 'key_forbids' | 'in_vain' | 'no_other' | 'not_asked';

/** What the gateway knows of a request that tells how long it will take. */
export interface RequestHints {
  /** Whose it is: keys differ in how long their answers are. */
  readonly key: string;
  /** Of prompt, messages or input, with the tools; `null` where bytes say little of tokens (images). */
  readonly promptBytes: number | null;
  readonly streams: boolean;
  /** Answers that are asked for at once. */
  readonly choices: number;
  /** Hash of what its client calls the session, within its key and role; left out or `null`: none. */
  readonly session?: number | null;
  /** What its prompt begins with; left out or `null`: not known, or of no use. */
  readonly prefix?: PrefixHashes | null;
}

/** Why a target was not chosen: a code, for headers, logs and explanations. */
export type FilterReason =
  /** Its host has no link, or never had one. */
  | 'host_away'
  /** The same, and a wake could bring it back, or is about to. */
  | 'host_asleep'
  | 'host_late'
  | 'draining'
  /** Its host's owner has the card. */
  | 'yielded'
  | 'not_ready'
  /** It is reached through its host's tunnel, and that is not there. */
  | 'tunnel_down'
  /** It is reached directly, and where is not known. */
  | 'address_unknown'
  /** Every slot is taken, or its engine said a moment ago that its queue is full. */
  | 'full'
  | 'breaker_open'
  | 'already_tried'
  | 'context_too_long'
  | 'wrong_task'
  /** A provider that is not declared to have this endpoint. */
  | 'endpoint_not_spoken'
  /** An embeddings role stays with the model of its first target: other vectors would not match. */
  | 'other_model'
  | 'cloud_not_allowed'
  | 'provider_key_missing'
  /** By what is declared of its model, it cannot do what the request needs. */
  | 'lacks_capability'
  /** The client asked for another one. */
  | 'not_that_target'
  /** Its role keeps it for requests that are shorter than this one … */
  | 'condition_context'
  /** … that need what this one does not … */
  | 'condition_capability'
  /** … or that may not leave the own hosts. */
  | 'condition_local'
  /** Its role asks it where others take longer than they do. */
  | 'not_yet'
  /** It would serve, and the client asked for no provider. */
  | 'local_only'
  /** A provider that said how many requests it takes, and when it takes more. */
  | 'rate_limited'
  /** A provider that refused its key, or is to be paid first. */
  | 'provider_refuses';

/** Why the chosen one was chosen; goes into `x-fabric-reason`. */
export type ChoiceReason =
  | 'only_candidate'
  /** By predicted seconds. */
  | 'least_cost'
  | 'tie_broken'
  /** It served what came before: about as soon as the best, and favoured for that. */
  | 'affinity'
  | 'cloud_fallback'
  /** A provider, while the host that is to serve the next one wakes. */
  | 'cloud_while_waking'
  /** A provider that is asked where the targets before it take longer than declared. */
  | 'wait_exceeded'
  | 'asked_by_name';

export interface Considered {
  readonly target: string;
  readonly verdict: 'chosen' | 'passed_over' | FilterReason;
  /** What it was predicted to take at a replica that passed the filters, weighted. `null` for a provider, or when filtered. */
  readonly costSeconds: number | null;
}

/** Targets beyond those that have a line of their own. */
export interface OtherTargets {
  readonly verdict: Exclude<Considered['verdict'], 'chosen'>;
  readonly count: number;
}

/** Why nothing can take a request now. The gateway has the one table from these to HTTP status. */
export type RefusalCode =
  | 'no_capacity'
  | 'host_away'
  /** A wake could bring its host back, and is not tried. */
  | 'host_asleep'
  /** Its host is being woken, and will not be there in the time that the request may wait. */
  | 'waking'
  | 'not_ready'
  /** The card is its owner's for now. */
  | 'yielded'
  /** Its replica is on its way, and was not there in time. */
  | 'loading'
  | 'all_failed'
  /** Too long for every target: the client's to mend. */
  | 'context_too_long'
  | 'wrong_task'
  | 'endpoint_not_spoken'
  /** No target can do what it needs: the client's to mend. */
  | 'lacks_capability'
  /** Its role keeps its targets for other requests. */
  | 'condition_unmet'
  | 'cloud_not_allowed'
  /** Only a provider could serve it, and the control plane has no key for that one. */
  | 'provider_key_missing'
  /** A provider would answer now, and the client asked for none. */
  | 'local_only'
  /** Only a provider could serve it, and that one limits its rate. */
  | 'rate_limited'
  /** Only a provider could serve it, and that one refused its key, or is to be paid first. */
  | 'provider_refuses';

/**
 * What a request waits for: a free slot, a replica that is on its way, a host or engine that has just fallen silent, a host that
 * is being woken; or `paced`: all could take it, and those worth having have enough to read for now.
 */
export type WaitReason = 'full' | 'loading' | 'silent' | 'waking' | 'paced';

/** A provider serves. */
interface CloudChoice {
  readonly provider: DeclaredProvider;
  readonly model: DeclaredProviderModel;
  readonly reason: ChoiceReason;
  readonly considered: readonly Considered[];
  /** Left out where all have a line. */
  readonly others?: readonly OtherTargets[];
}

/** Nothing can take it now, and something is expected to soon. */
interface Waiting {
  readonly reason: WaitReason;
  /** One phrase for people: which target, and what it is doing. */
  readonly detail: string;
  /** The targets that are expected, in the order of declaration. */
  readonly waitsFor: readonly string[];
  /** Something changes by itself then; `null`: only an event changes it. */
  readonly lookAgainInMs: number | null;
  /** As declared, or as its client asked for within that; counted from the request's first wait. */
  readonly patienceMs: number;
  readonly considered: readonly Considered[];
  /** Left out where all have a line. */
  readonly others?: readonly OtherTargets[];
}

/** The fleet is to be asked to wake a host for it. */
export interface Waking {
  /** Deployments whose hosts a wake could bring, in the order of declaration. */
  readonly wake: readonly string[];
  /** Milliseconds: what is woken is to be ready by then, where any is. */
  readonly wakeWithinMs: number;
}

export type RouteDecision =
  | {
      readonly kind: 'send';
      readonly deployment: DeclaredDeployment;
      readonly reason: ChoiceReason;
      readonly considered: readonly Considered[];
      /** Left out where all have a line. */
      readonly others?: readonly OtherTargets[];
    }
  | ({ readonly kind: 'cloud' } & CloudChoice)
  /** A provider serves, and a host is woken for the next one. */
  | ({ readonly kind: 'cloudWhileWaking' } & CloudChoice & Waking)
  | ({ readonly kind: 'wait' } & Waiting)
  /**
   * A host is woken, and the request waits for it. `wakesAnother`: what it waits for is too late for it, and another host is
   * not.
   */
  | ({ readonly kind: 'wakeThenWait'; readonly wakesAnother: boolean } & Waiting & Waking)
  | {
      readonly kind: 'refuse';
      readonly code: RefusalCode;
      /** One sentence for people: names the model, its targets and what stands in the way of each. */
      readonly detail: string;
      /** Whole seconds for `Retry-After`; 0: trying again does not help, send no such header. */
      readonly retryAfterSeconds: number;
      /** Where all is full: how it would stand in the queue. */
      readonly outlook?: QueueOutlook;
      /** Its host is woken all the same, for the next one; left out: nobody is to be woken. */
      readonly wake?: Waking['wake'];
      /** Stands with `wake`. */
      readonly wakeWithinMs?: number;
      readonly considered: readonly Considered[];
      /** Left out where all have a line. */
      readonly others?: readonly OtherTargets[];
    };

/** How an attempt ended, told when its claim is released. */
export type AttemptOutcome =
  | {
      readonly kind: 'succeeded';
      readonly promptTokens: number | null;
      readonly completionTokens: number | null;
      /** Of the prompt, what its engine says it had in its prefix cache; left out or `null`: it does not say. */
      readonly cachedTokens?: number | null;
      /** Its client did not read as fast as the engine wrote. */
      readonly wasPaused?: boolean;
    }
  /** The engine said that its queue is full: no failure, but not now. */
  | { readonly kind: 'busy' }
  /** The client went away, or its own request was wrong: says nothing of the engine. */
  | { readonly kind: 'neutral' }
  /** The way there broke: no failure of the engine, but whether it can be reached is in doubt. */
  | { readonly kind: 'cut_off' }
  | { readonly kind: 'failed'; readonly code: string };

/** What is left of a limit. */
export interface Allowance {
  readonly left: number;
  /** All of it; `null`: not told. */
  readonly limit: number | null;
  /** Milliseconds until all of it is there again; `null`: not told. */
  readonly resetMs: number | null;
}

/** What an answer of a provider tells of its limits. */
export interface ToldLimits {
  readonly answer: 'answered' | 'limited' | 'out_of_quota' | 'key_refused' | 'unpaid';
  /** Milliseconds; `null`: not told. */
  readonly retryAfterMs: number | null;
  readonly requests: Allowance | null;
  readonly tokens: Allowance | null;
}

/** Proof of holding one unit of a replica's capacity (or of a provider's). Released exactly once; later calls do nothing. */
export interface Claim {
  readonly target: string;
  /**
   * The engine's first byte arrived. Optional: it lets a breaker that is trying a replica again close at once
   * instead of at the end of what may be a long stream.
   */
  answered(): void;
  /** Events of a stream that arrived since the last call. Optional: it lets a slow engine be noticed before its answers end. */
  progressed(events: number): void;
  /** Its provider answered. To be told before the release, of a provider alone. */
  limitsTold(told: ToldLimits): void;
  release(outcome: AttemptOutcome): void;
}

/** A request that is held, as the queue sees it. */
export interface HeldRequest {
  /** Whose it is: requests of one key wait behind each other, keys take turns. */
  readonly key: string;
  /** What was asked for, by its declared name. */
  readonly role: string;
  readonly requestClass: RequestClass;
  /** Of its body, which stays in memory. */
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly patienceEndsAtMs: number;
  /**
   * Something that it waits for has changed: look again, claim, and go.
   *
   * @returns what it still waits for, or `null` where it needs the queue no more (served, or refused)
   */
  lookAgain(): WaitDecision | null;
  /** Its patience is over; it has left the queue. @param outlook how it stood there */
  patienceOver(outlook: QueueOutlook): void;
  /**
   * The queue was full, and one of a key with fewer in it took this one's place. Never called inside the other's `hold`.
   *
   * @param outlook how it stood there
   */
  displaced(outlook: QueueOutlook): void;
}

/** How a request stands in the queue. */
export interface QueueOutlook {
  /** 1: it is next. */
  readonly position: number;
  /** Milliseconds until its turn, as predicted; `null` where nothing is known. */
  readonly etaMs: number | null;
  /** Whole seconds after which coming again makes sense; `null` where nothing is known. */
  readonly retryAfterSeconds: number | null;
}

export type WaitDecision = Extract<RouteDecision, { kind: 'wait' | 'wakeThenWait' }>;
/** Something takes the request now. */
export type ChosenDecision = Extract<RouteDecision, { kind: 'send' | 'cloud' | 'cloudWhileWaking' }>;

/** A place in the queue. */
export interface HoldTicket {
  /** Gives the place up; later calls do nothing. */
  leave(): void;
  outlook(): QueueOutlook;
}

/** What the gateway uses. Selecting reads; claiming takes, and fails when the capacity was taken in between. */
export interface Router {
  select(request: RouteRequest): RouteDecision;
  claim(decision: ChosenDecision, request: RouteRequest): Claim | null;
  /** Takes a place in the queue, or `null` where that is full. Never looks again before it has returned. */
  hold(held: HeldRequest, wait: WaitDecision): HoldTicket | null;
  /** How often this target came back: a request that failed there before may be sent there again. */
  comebacks(target: string): number;
  /** The name's meaning, or `undefined`. */
  resolve(model: string): ResolvedModel | undefined;
  /** Known names most like this one, best first, at most three. */
  nearestNames(model: string): readonly string[];
  /** What `/v1/models` lists. */
  listModels(): readonly ListedModel[];
}

/** What an engine's answers have told of it. */
export interface LearnedOfEngine {
  readonly iterationSeconds: number;
  readonly perDecodingSeconds: number;
  readonly perPromptTokenSeconds: number;
  /** Answers that this was learned from; 0: it is a guess. */
  readonly observations: number;
  readonly bytesPerToken: number;
  /** How late its gauges are; `null`: not known yet. */
  readonly gaugeLagSeconds: number | null;
  /** Times as slow as the rates say, of late. */
  readonly drift: number;
}

export interface ListedModel {
  readonly id: string;
  readonly kind: 'role' | 'alias' | 'deployment' | 'providerModel';
  readonly task: Task;
  /**
   * `ready`: a replica answers now; `busy`: all are full; `cloud`: only a provider answers now; `asleep`: a wake brings its host;
   * `waking`: one is under way; `away`: its host is away; `unavailable`: nothing answers.
   */
  readonly state: 'ready' | 'busy' | 'cloud' | 'asleep' | 'waking' | 'away' | 'unavailable';
  /** Until a host that sleeps or is being woken would serve it, as expected; `null`: there is none, or nothing is known. */
  readonly readyInSeconds: number | null;
  /** What it would be served by now, for people. */
  readonly servedBy: string | null;
  readonly contextTokens: number | null;
}

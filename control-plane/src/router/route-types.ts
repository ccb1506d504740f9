import type { Task } from '@ai-fabric/shared';
import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  ResolvedModel,
} from '../declared/declared-state.js';

/** What the router needs to know of a request; the gateway fills it from the body's top-level fields. */
export interface RouteRequest {
  readonly resolved: ResolvedModel;
  readonly task: Task;
  /** A rough count; `null` where the gateway did not estimate. */
  readonly estimatedPromptTokens: number | null;
  /** Targets that were tried for this request and failed: `deployment name` or `provider/model`. */
  readonly excluded: ReadonlySet<string>;
  /** Whether the key may use a provider. */
  readonly mayCloud: boolean;
}

/** Why a target was not chosen: a code, for headers, logs and explanations. */
export type FilterReason =
  | 'host_away'
  | 'host_late'
  | 'draining'
  | 'not_ready'
  | 'full'
  | 'breaker_open'
  | 'already_tried'
  | 'context_too_long'
  | 'wrong_task'
  | 'cloud_not_allowed'
  | 'provider_key_missing';

/** Why the chosen one was chosen; goes into `x-fabric-reason`. */
export type ChoiceReason =
  | 'only_candidate'
  | 'least_load'
  | 'tie_broken'
  | 'cloud_fallback'
  | 'asked_by_name';

export interface Considered {
  readonly target: string;
  readonly verdict: 'chosen' | 'passed_over' | FilterReason;
  /** Predicted load of a replica that passed the filters: 0 idle, 1 full. */
  readonly load: number | null;
}

export type RouteDecision =
  | {
      readonly kind: 'send';
      readonly deployment: DeclaredDeployment;
      readonly reason: ChoiceReason;
      readonly considered: readonly Considered[];
    }
  | {
      readonly kind: 'cloud';
      readonly provider: DeclaredProvider;
      readonly model: DeclaredProviderModel;
      readonly reason: ChoiceReason;
      readonly considered: readonly Considered[];
    }
  | {
      readonly kind: 'refuse';
      readonly code:
        | 'no_capacity'
        | 'host_away'
        | 'not_ready'
        | 'wrong_task'
        | 'cloud_not_allowed'
        | 'all_failed';
      readonly detail: string;
      readonly retryAfterSeconds: number;
      readonly considered: readonly Considered[];
    };

/** How an attempt ended, told when its claim is released. */
export type AttemptOutcome =
  | {
      readonly kind: 'succeeded';
      readonly promptTokens: number | null;
      readonly completionTokens: number | null;
    }
  /** The engine said that its queue is full: no failure, but not now. */
  | { readonly kind: 'busy' }
  /** The client went away, or its own request was wrong: says nothing of the engine. */
  | { readonly kind: 'neutral' }
  | { readonly kind: 'failed'; readonly code: string };

/** Proof of holding one unit of a replica's capacity (or of a provider's). Released exactly once; later calls do nothing. */
export interface Claim {
  readonly target: string;
  release(outcome: AttemptOutcome): void;
}

/** What the gateway uses. Selecting reads; claiming takes, and fails when the capacity was taken in between. */
export interface Router {
  select(request: RouteRequest): RouteDecision;
  claim(decision: Extract<RouteDecision, { kind: 'send' | 'cloud' }>): Claim | null;
  /** The name's meaning, or `undefined`. */
  resolve(model: string): ResolvedModel | undefined;
  /** Known names most like this one, best first, at most three. */
  nearestNames(model: string): readonly string[];
  /** What `/v1/models` lists. */
  listModels(): readonly ListedModel[];
}

export interface ListedModel {
  readonly id: string;
  readonly kind: 'role' | 'alias' | 'deployment' | 'providerModel';
  readonly task: Task;
  /** `ready`: a replica answers now; `busy`: all are full; `cloud`: only a provider answers now; `away`: its host is away; `unavailable`: nothing answers. */
  readonly state: 'ready' | 'busy' | 'cloud' | 'away' | 'unavailable';
  /** What it would be served by now, for people. */
  readonly servedBy: string | null;
  readonly contextTokens: number | null;
}

import type { RequestClass } from '../declared/request-class.js';
import type { RestCause } from './decide/step-cooldown.js';

/** Numbers for `/metrics`, read at scrape time. */
export interface RouterGauges {
  readonly targets: readonly TargetGauge[];
  /** Claims that nobody released before their deadline. More than 0 is a bug of whoever held them. */
  readonly reapedClaimsTotal: number;
  readonly held: readonly HeldGauge[];
  /** Requests that lost their place to one of a key with fewer in the queue. */
  readonly displacedTotal: number;
  readonly begunRests: readonly BegunRests[];
  readonly answers: readonly AnswerGauge[];
}

/** How long an answer of a role is expected to be, by all its keys together and where its client sets no bound. */
export interface AnswerGauge {
  readonly role: string;
  readonly tokens: number;
}

/** How often a provider, or a model of it, was sent into a rest. */
export interface BegunRests {
  readonly provider: string;
  readonly cause: RestCause;
  readonly count: number;
}

/** How many requests of a class are held for what they asked for. */
export interface HeldGauge {
  readonly role: string;
  readonly requestClass: RequestClass;
  readonly count: number;
}

export interface TargetGauge {
  readonly target: string;
  readonly kind: 'deployment' | 'provider';
  /** Open claims. A target that is no longer declared stays listed until its last claim ends. */
  readonly inflight: number;
  /** `null`: unbounded, as a provider is, or no longer declared. */
  readonly slots: number | null;
  /** Requests that others have in the same engine, as estimated; `null` where no gauge ever told. */
  readonly externalLoad: number | null;
  /** What its answers have told of its engine; `null`: a provider, or no longer declared. */
  readonly pace: TargetPace | null;
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Until a provider's model may be asked again, as it said; 0: now. `null`: a deployment, or no longer declared. */
  readonly restSeconds: number | null;
  readonly reapedTotal: number;
}

export interface TargetPace {
  readonly iterationSeconds: number;
  readonly perDecodingSeconds: number;
  readonly perPromptTokenSeconds: number;
  /** Times as slow as those say, of late. */
  readonly drift: number;
  /** Prompt tokens that are to be read before a request that comes now … */
  readonly backlogTokens: number;
  /** … of so many requests. */
  readonly unreadPrompts: number;
  readonly bytesPerToken: number;
  /** Of its key-value cache; 0: not known. */
  readonly kvCapacityTokens: number;
}

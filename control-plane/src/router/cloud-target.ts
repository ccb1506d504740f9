import type { DeclaredProvider, DeclaredProviderModel, SecretReference } from '../declared/declared-state.js';
import type { Breaker } from './breaker.js';
import type { CloudCandidate } from './candidate.js';
import type { RestCause } from './decide/step-cooldown.js';
import type { Moment } from './engine-gauges.js';
import type { ProviderLimits } from './provider-limits.js';

/** Whether a secret can be read; never what it is. */
export interface SecretPresence {
  has(ref: SecretReference): boolean;
}

export interface CloudTargetDeps {
  readonly breaker: Breaker;
  readonly limits: ProviderLimits;
  readonly secrets: SecretPresence;
  /** A secret that is there is looked for again at most this often. */
  readonly keyCheckMs: number;
}

/** A provider model's candidate, one object for as long as its declaration lives. */
export class CloudTarget implements CloudCandidate {
  readonly kind = 'provider';
  readonly target: string;
  readonly provider: DeclaredProvider;
  readonly model: DeclaredProviderModel;
  keyPresent = false;
  blockedForMs = 0;
  busyForMs = 0;
  restForMs = 0;
  restCause: RestCause = 'rate';
  tokensLeft = Number.POSITIVE_INFINITY;
  tokensInMs = 0;

  readonly #deps: CloudTargetDeps;
  #keyCheckedAtMs = Number.NEGATIVE_INFINITY;

  constructor(provider: DeclaredProvider, model: DeclaredProviderModel, deps: CloudTargetDeps) {
    this.target = `${provider.name}/${model.name}`;
    this.provider = provider;
    this.model = model;
    this.#deps = deps;
  }

  get breaker(): Breaker {
    return this.#deps.breaker;
  }

  get limits(): ProviderLimits {
    return this.#deps.limits;
  }

  refresh(now: Moment): void {
    const { breaker, limits, secrets, keyCheckMs } = this.#deps;
    this.blockedForMs = breaker.blockedForMs(now.monotonicMs);
    this.busyForMs = breaker.busyForMs(now.monotonicMs);
    this.restForMs = limits.restForMs(now.monotonicMs);
    this.restCause = limits.restCause(now.monotonicMs);
    this.tokensLeft = limits.tokensLeft(now.monotonicMs);
    this.tokensInMs = limits.tokensInMs(now.monotonicMs);
    if (this.keyPresent && now.monotonicMs - this.#keyCheckedAtMs < keyCheckMs) return;
    this.#keyCheckedAtMs = now.monotonicMs;
    const { apiKey } = this.provider;
    this.keyPresent = apiKey === null || secrets.has(apiKey);
  }
}

import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import {
  type CooldownEvent,
  type CooldownSettings,
  type CooldownState,
  noCooldown,
  type RestCause,
  stepCooldown,
} from './decide/step-cooldown.js';
import type { Allowance, ToldLimits } from './route-types.js';

export interface LimitSettings {
  readonly cooldown: CooldownSettings;
  /** What is left of a limit whose reset was not told is believed for this long. */
  readonly untoldResetMs: number;
}

export interface LimitDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: LimitSettings;
}

/** Owns one cooldown: of a provider, or of one of its models. */
export class Cooldown {
  readonly #of: string;
  readonly #deps: LimitDeps;
  readonly #begun: Record<RestCause, number> = { rate: 0, quota: 0, key: 0, unpaid: 0 };
  #state: CooldownState = noCooldown;

  constructor(of: string, deps: LimitDeps) {
    this.#of = of;
    this.#deps = deps;
  }

  get untilMs(): number {
    return this.#state.untilMs;
  }

  get cause(): RestCause {
    return this.#state.cause;
  }

  /** How often a rest began, since it was first declared. */
  get begun(): Readonly<Record<RestCause, number>> {
    return this.#begun;
  }

  step(event: CooldownEvent): void {
    const { clock, random, log, settings } = this.#deps;
    const nowMs = clock.monotonicMs();
    const before = this.#state;
    this.#state = stepCooldown(before, event, nowMs, random, settings.cooldown);
    const { cause, untilMs } = this.#state;
    if (nowMs >= before.untilMs && nowMs < untilMs) this.#begun[cause] += 1;
    // A rate is kept to all day long; what waiting alone does not mend is somebody's to look at.
    if (event.kind !== 'refused' || event.cause === 'rate' || nowMs < before.untilMs) return;
    const restSeconds = Math.ceil((untilMs - nowMs) / 1000);
    log.warn({ of: this.#of, because: cause, restSeconds }, 'provider rests: requests go elsewhere');
  }
}

/** By when an answer that is under way should have told what is left. */
const SOON_MS = 1_000;

/** What is left of one limit by the latest answer, less what was asked since. */
class Budget {
  #left = Number.POSITIVE_INFINITY;
  #limit = Number.POSITIVE_INFINITY;
  #resetAtMs = Number.NEGATIVE_INFINITY;
  /** Of requests under way that have told nothing yet: whether the provider counts them already is not known. */
  untold = 0;

  take({ left, limit, resetMs }: Allowance, nowMs: number, untoldResetMs: number): void {
    this.#left = left;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#resetAtMs = nowMs + (resetMs ?? untoldResetMs);
  }

  /** After its reset all of it is there, and the first request may be larger than that: the provider knows better. */
  left(nowMs: number): number {
    if (nowMs < this.#resetAtMs) return Math.max(0, this.#left - this.untold);
    return this.untold === 0 ? Number.POSITIVE_INFINITY : Math.max(0, this.#limit - this.untold);
  }

  moreInMs(nowMs: number): number {
    return nowMs < this.#resetAtMs ? this.#resetAtMs - nowMs : SOON_MS;
  }
}

/** What one model of a provider has told of its limits, and the rest that its whole provider was sent into. */
export class ProviderLimits {
  readonly #deps: LimitDeps;
  readonly #own: Cooldown;
  readonly #shared: Cooldown;
  readonly #requests = new Budget();
  readonly #tokens = new Budget();

  /** @param shared by all models of its provider */
  constructor(target: string, shared: Cooldown, deps: LimitDeps) {
    this.#deps = deps;
    this.#shared = shared;
    this.#own = new Cooldown(target, deps);
  }

  get shared(): Cooldown {
    return this.#shared;
  }

  get own(): Pick<Cooldown, 'begun'> {
    return this.#own;
  }

  /** Milliseconds until it may be asked again; 0: now. */
  restForMs(nowMs: number): number {
    const untilMs = Math.max(this.#own.untilMs, this.#shared.untilMs);
    const restMs = Math.max(0, untilMs - nowMs);
    return this.#requests.left(nowMs) >= 1 ? restMs : Math.max(restMs, this.#requests.moreInMs(nowMs));
  }

  /** Why it rests; says nothing where it does not. */
  restCause(nowMs: number): RestCause {
    const { untilMs, cause } = this.#shared.untilMs > this.#own.untilMs ? this.#shared : this.#own;
    return untilMs > nowMs ? cause : 'rate';
  }

  /** `Infinity`: not known. */
  tokensLeft(nowMs: number): number {
    return this.#tokens.left(nowMs);
  }

  /** Milliseconds until there are more tokens. */
  tokensInMs(nowMs: number): number {
    return this.#tokens.moreInMs(nowMs);
  }

  /** A request is sent. @returns what tells of its answer, or that there was none */
  sent(tokens: number): SentToProvider {
    this.#requests.untold += 1;
    this.#tokens.untold += tokens;
    return new SentToProvider(this, tokens);
  }

  /** To be called once for each that was sent. */
  settle(tokens: number, told: ToldLimits | null): void {
    this.#requests.untold -= 1;
    this.#tokens.untold -= tokens;
    if (told === null) return;
    const { clock, settings } = this.#deps;
    const nowMs = clock.monotonicMs();
    const { answer, retryAfterMs, requests, tokens: tokensTold } = told;
    if (requests !== null) this.#requests.take(requests, nowMs, settings.untoldResetMs);
    if (tokensTold !== null) this.#tokens.take(tokensTold, nowMs, settings.untoldResetMs);
    const usedUpMs = Math.max(usedUp(requests), usedUp(tokensTold));
    switch (answer) {
      case 'answered':
        this.#own.step({ kind: 'answered' });
        this.#shared.step({ kind: 'answered' });
        if (usedUpMs > 0) this.#own.step({ kind: 'refused', cause: 'rate', forMs: usedUpMs });
        return;
      case 'limited': {
        const forMs = usedUpMs > 0 ? Math.max(usedUpMs, retryAfterMs ?? 0) : retryAfterMs;
        this.#own.step({ kind: 'refused', cause: 'rate', forMs });
        return;
      }
      case 'out_of_quota':
        this.#own.step({ kind: 'refused', cause: 'quota', forMs: null });
        return;
      case 'key_refused':
        this.#shared.step({ kind: 'refused', cause: 'key', forMs: null });
        return;
      case 'unpaid':
        this.#shared.step({ kind: 'refused', cause: 'unpaid', forMs: null });
        return;
      default:
        answer satisfies never;
    }
  }
}

/** A request at a provider, until its answer or its end. */
export class SentToProvider {
  readonly #limits: ProviderLimits;
  readonly #tokens: number;
  #isOpen = true;

  constructor(limits: ProviderLimits, tokens: number) {
    this.#limits = limits;
    this.#tokens = tokens;
  }

  /** Later calls do nothing. @param told `null`: there was no answer */
  settle(told: ToldLimits | null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#limits.settle(this.#tokens, told);
  }
}

/** Until a limit of which nothing is left is whole again; 0: something is left, or that was not told. */
function usedUp(allowance: Allowance | null): number {
  return allowance !== null && allowance.left <= 0 ? (allowance.resetMs ?? 0) : 0;
}

import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import {
  type BreakerEffect,
  type BreakerEvent,
  type BreakerSettings,
  type BreakerState,
  breakerBlockedForMs,
  freshBreaker,
  stepBreaker,
} from './decide/step-breaker.js';
import type { ClaimObserver } from './ledger.js';
import type { AttemptOutcome } from './route-types.js';

export interface BreakerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: BreakerSettings;
}

/**
 * Owns the state of one engine's breaker. It belongs to the engine, not to the name: when a name is declared
 * anew for another engine that one gets a breaker of its own, and what late claims tell of the old engine goes
 * to the old breaker.
 */
export class Breaker implements ClaimObserver {
  readonly #target: string;
  readonly #deps: BreakerDeps;
  #state: BreakerState = freshBreaker;

  constructor(target: string, deps: BreakerDeps) {
    this.#target = target;
    this.#deps = deps;
  }

  get phase(): BreakerState['phase'] {
    return this.#state.phase;
  }

  /** Milliseconds until one claim is let through; 0: now. */
  blockedForMs(nowMs: number): number {
    return breakerBlockedForMs(this.#state, nowMs, this.#deps.settings);
  }

  /** Milliseconds until an engine that said "queue full" is asked again; 0: it may be asked now. */
  busyForMs(nowMs: number): number {
    return Math.max(0, this.#state.busyUntilMs - nowMs);
  }

  /** To be told of each claim before it is taken. `refused`: it may not be. */
  admit(): 'normal' | 'probe' | 'refused' {
    const effect = this.#step({ kind: 'claimed' });
    return effect === 'probe' || effect === 'refused' ? effect : 'normal';
  }

  answered(isProbe: boolean): void {
    if (isProbe) this.#step({ kind: 'answered', probe: true });
  }

  released(isProbe: boolean, outcome: AttemptOutcome): void {
    // An engine that was not reached says nothing of itself.
    this.#step({ kind: outcome.kind === 'cut_off' ? 'neutral' : outcome.kind, probe: isProbe });
  }

  readyAgain(): void {
    this.#step({ kind: 'ready_again' });
  }

  #step(event: BreakerEvent): BreakerEffect {
    const { clock, random, settings, log } = this.#deps;
    const nowMs = clock.monotonicMs();
    const { state, effect } = stepBreaker(this.#state, event, nowMs, random, settings);
    this.#state = state;
    if (effect === 'opened') {
      const retryInMs = Math.ceil(breakerBlockedForMs(state, nowMs, settings));
      const about = { target: this.#target, trips: state.trips, retryInMs };
      log.warn(about, 'breaker opened: requests go elsewhere');
    } else if (effect === 'closed') {
      log.info({ target: this.#target, because: event.kind }, 'breaker closed');
    }
    return effect;
  }
}

import type { Clock } from '@ai-fabric/shared';
import type { GatewayKey } from '../request-context.js';
import { limitHeaders } from './decide/limit-headers.js';
import {
  type KeyUse,
  type KeyUseEvent,
  type LimitRefusal,
  readLimits,
  stepKeyUse,
  UNUSED,
} from './decide/step-key-use.js';

/** What a request has taken of its key's limits. Ended exactly once, on every path. */
export interface Reservation {
  /** The answer is over; `null`: what it used is not known. */
  settle(usedTokens: number | null): void;
  /** Nothing was served. */
  giveBack(): void;
}

/** What keys have used in the last minute and have under way, in memory: a restart forgives. */
export class KeyLimiter {
  readonly #clock: Clock;
  readonly #uses = new Map<string, KeyUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param tokens an estimate; the real usage settles it */
  reserve(key: GatewayKey, tokens: number): Reservation | LimitRefusal {
    if (!isLimited(key)) return UNLIMITED;
    const refusal = this.#step(key, { kind: 'asked', tokens });
    if (refusal !== null) return refusal;
    let isOpen = true;
    const end = (event: KeyUseEvent): void => {
      if (isOpen) this.#step(key, event);
      isOpen = false;
    };
    return {
      settle: (usedTokens) => end({ kind: 'settled', tokens, usedTokens }),
      giveBack: () => end({ kind: 'givenBack', tokens }),
    };
  }

  /** The `x-ratelimit-…` headers of an answer. */
  headers(key: GatewayKey): readonly string[] {
    const { limits } = key;
    if (limits.requestsPerMinute === null && limits.tokensPerMinute === null) return NONE;
    const use = this.#uses.get(key.keyId) ?? UNUSED;
    const { requests, tokens } = readLimits(use, limits, this.#clock.monotonicMs());
    return limitHeaders(requests, tokens);
  }

  #step(key: GatewayKey, event: KeyUseEvent): LimitRefusal | null {
    const before = this.#uses.get(key.keyId) ?? UNUSED;
    const { use, refusal } = stepKeyUse(before, event, key.limits, this.#clock.monotonicMs());
    this.#uses.set(key.keyId, use);
    return refusal;
  }
}

const NONE: readonly string[] = [];
const UNLIMITED: Reservation = { settle: () => undefined, giveBack: () => undefined };

function isLimited({ limits }: GatewayKey): boolean {
  return (
    limits.requestsPerMinute !== null || limits.tokensPerMinute !== null || limits.concurrentRequests !== null
  );
}

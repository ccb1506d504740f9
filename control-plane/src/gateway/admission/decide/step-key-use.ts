import type { KeyLimits } from '../../../registry/key-types.js';

/**
 * What a key has used. Requests and tokens drain evenly, a whole limit in a minute: a key that was quiet may use its
 * limit at once, and then goes on at the limit's rate.
 */
export interface KeyUse {
  readonly requests: number;
  /** Above the limit where answers took more than was thought: it is worked off before the next. */
  readonly tokens: number;
  readonly inflight: number;
  readonly atMs: number;
}

export type KeyUseEvent =
  | { readonly kind: 'asked'; readonly tokens: number }
  /** An answer is over. `usedTokens`: what was used in truth; `null`: not known, the estimate stays. */
  | { readonly kind: 'settled'; readonly tokens: number; readonly usedTokens: number | null }
  /** Nothing was served: as if it had not been asked. */
  | { readonly kind: 'givenBack'; readonly tokens: number };

export type LimitName = 'requests_per_minute' | 'tokens_per_minute' | 'concurrent_requests';

export interface LimitRefusal {
  readonly limit: LimitName;
  readonly allowed: number;
  /** Until this request would be let in; `null`: never, or nobody knows (another one has to end first). */
  readonly retryAfterMs: number | null;
}

export interface KeyUseStep {
  readonly use: KeyUse;
  /** Of an `asked` that is not let in; then nothing was taken. */
  readonly refusal: LimitRefusal | null;
}

export const UNUSED: KeyUse = { requests: 0, tokens: 0, inflight: 0, atMs: 0 };

const MINUTE_MS = 60_000;
/** Draining is in fractions: what is off by less than this is whole. */
const SLACK = 1e-6;

export function stepKeyUse(before: KeyUse, event: KeyUseEvent, limits: KeyLimits, nowMs: number): KeyUseStep {
  const use = drain(before, limits, nowMs);
  switch (event.kind) {
    case 'asked':
      return ask(use, clampTokens(event.tokens, limits), limits);
    case 'settled': {
      const taken = clampTokens(event.tokens, limits);
      const tokens = Math.max(0, use.tokens - taken + (event.usedTokens ?? taken));
      return taking({ ...use, tokens, inflight: less(use.inflight, 1) });
    }
    case 'givenBack': {
      const tokens = less(use.tokens, clampTokens(event.tokens, limits));
      return taking({ ...use, tokens, requests: less(use.requests, 1), inflight: less(use.inflight, 1) });
    }
  }
}

/** Of one limit, for the `x-ratelimit-…` headers. */
export interface LimitState {
  readonly limit: number;
  readonly remaining: number;
  /** Until all of it may be used again. */
  readonly resetMs: number;
}

/** @returns `null` where there is no such limit */
export function readLimits(
  before: KeyUse,
  limits: KeyLimits,
  nowMs: number,
): { readonly requests: LimitState | null; readonly tokens: LimitState | null } {
  const use = drain(before, limits, nowMs);
  return {
    requests: limitState(use.requests, limits.requestsPerMinute),
    tokens: limitState(use.tokens, limits.tokensPerMinute),
  };
}

function limitState(used: number, limit: number | null): LimitState | null {
  if (limit === null) return null;
  const remaining = Math.max(0, Math.floor(limit - used + SLACK));
  return { limit, remaining, resetMs: limit === 0 ? 0 : (used * MINUTE_MS) / limit };
}

function ask(use: KeyUse, tokens: number, limits: KeyLimits): KeyUseStep {
  const { concurrentRequests } = limits;
  const refusal =
    refuseNone(limits) ??
    refuseRate('requests_per_minute', use.requests, 1, limits.requestsPerMinute) ??
    refuseRate('tokens_per_minute', use.tokens, tokens, limits.tokensPerMinute);
  if (refusal !== null) return { use, refusal };
  if (concurrentRequests !== null && use.inflight >= concurrentRequests) {
    const full = { limit: 'concurrent_requests', allowed: concurrentRequests, retryAfterMs: null } as const;
    return { use, refusal: full };
  }
  return taking({
    ...use,
    requests: use.requests + 1,
    tokens: use.tokens + tokens,
    inflight: use.inflight + 1,
  });
}

/** A limit of zero allows nothing, ever: there is no rate to wait for. */
function refuseNone(limits: KeyLimits): LimitRefusal | null {
  const { requestsPerMinute, tokensPerMinute, concurrentRequests } = limits;
  if (requestsPerMinute === 0) return { limit: 'requests_per_minute', allowed: 0, retryAfterMs: null };
  if (tokensPerMinute === 0) return { limit: 'tokens_per_minute', allowed: 0, retryAfterMs: null };
  if (concurrentRequests === 0) return { limit: 'concurrent_requests', allowed: 0, retryAfterMs: null };
  return null;
}

function refuseRate(
  name: LimitName,
  used: number,
  wanted: number,
  limit: number | null,
): LimitRefusal | null {
  if (limit === null) return null;
  const over = used + wanted - limit;
  if (over <= SLACK) return null;
  return { limit: name, allowed: limit, retryAfterMs: (over * MINUTE_MS) / limit };
}

/** One request that alone is thought to be more than a whole minute's limit is let in when nothing else was used. */
function clampTokens(tokens: number, { tokensPerMinute }: KeyLimits): number {
  return tokensPerMinute === null ? tokens : Math.min(tokens, tokensPerMinute);
}

function drain(use: KeyUse, limits: KeyLimits, nowMs: number): KeyUse {
  const elapsedMs = Math.max(0, nowMs - use.atMs);
  return {
    requests: drained(use.requests, limits.requestsPerMinute, elapsedMs),
    tokens: drained(use.tokens, limits.tokensPerMinute, elapsedMs),
    inflight: use.inflight,
    atMs: nowMs,
  };
}

/** Without a limit nothing is counted, so that one that is set later starts afresh. */
function drained(used: number, limit: number | null, elapsedMs: number): number {
  return limit === null ? 0 : less(used, (limit * elapsedMs) / MINUTE_MS);
}

function less(value: number, by: number): number {
  return Math.max(0, value - by);
}

function taking(use: KeyUse): KeyUseStep {
  return { use, refusal: null };
}

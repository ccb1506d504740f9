import { type BackoffPolicy, fullJitterDelayMs, needsOperator } from '@ai-fabric/shared';
import type { LinkFailure } from '../link-failure.js';

/** While the network is up, a control plane that is back is found within five seconds. */
export const LINK_BACKOFF: BackoffPolicy = { baseMs: 250, capMs: 5_000 };
/** Trying sooner cannot help: somebody has to do something. */
const OPERATOR_MS = 60_000;
const RATE_LIMITED_MS = 15_000;

/** True where only a person can mend it. */
export function waitsForOperator(failure: LinkFailure): boolean {
  if (failure.code === 'goodbye') return needsOperator(failure.reason);
  return failure.code === 'pin_mismatch' || failure.code === 'control_plane_too_old';
}

/**
 * How long to wait before the next attempt, in milliseconds.
 *
 * @param attempt 0 after the first failure
 * @param jitter in [0, 1): agents that lost one control plane together must not come back together
 */
export function planRetryMs(failure: LinkFailure, attempt: number, jitter: number): number {
  if (waitsForOperator(failure)) return Math.round(OPERATOR_MS * (0.9 + 0.2 * jitter));
  if (failure.code === 'goodbye' && failure.reason === 'rate_limited') {
    return Math.round(RATE_LIMITED_MS * (1 + jitter));
  }
  return fullJitterDelayMs(attempt, LINK_BACKOFF, () => jitter);
}

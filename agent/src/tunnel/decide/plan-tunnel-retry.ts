import { fullJitterDelayMs, type TunnelRefusal } from '@ai-fabric/shared';
import { LINK_BACKOFF } from '../../link/decide/plan-retry.js';
import type { TunnelFailure } from '../tunnel-failure.js';

/** Trying sooner cannot help: somebody has to do something, be it an upgrade of the control plane. */
const OPERATOR_MS = 60_000;

const PERMANENT: ReadonlySet<TunnelRefusal> = new Set([
  'proof_failed',
  'unknown_host',
  'revoked',
  'machine_mismatch',
]);

/** True where only a person can mend it. */
export function tunnelWaitsForOperator(failure: TunnelFailure): boolean {
  if (failure.code === 'refused') return PERMANENT.has(failure.reason);
  return failure.code === 'pin_mismatch' || failure.code === 'not_a_control_plane';
}

/**
 * How long to wait before the next attempt, in milliseconds.
 *
 * @param attempt 0 after the first failure
 * @param jitter in [0, 1)
 */
export function planTunnelRetryMs(failure: TunnelFailure, attempt: number, jitter: number): number {
  if (tunnelWaitsForOperator(failure)) return Math.round(OPERATOR_MS * (0.9 + 0.2 * jitter));
  return fullJitterDelayMs(attempt, LINK_BACKOFF, () => jitter);
}

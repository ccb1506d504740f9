import type { HostPower } from '../../live/host-power.js';
import type { ReplicaCandidate } from '../candidate.js';

type Sleeper = Pick<ReplicaCandidate, 'deployment' | 'presence' | 'draining' | 'power' | 'phase'>;

/**
 * Whether a wake could bring it: its host is away, or its card was given back while the machine stays on, and nothing that is
 * known of the host rules a wake out. Not so of one that an operator drains, or stopped.
 */
export function isAsleep(replica: Sleeper): boolean {
  const { power, presence } = replica;
  if (power.wakeability.kind === 'no' || replica.draining || !isWished(replica)) return false;
  if (presence === 'away' || presence === 'unseen') return AWAY_STATES.has(power.state);
  return power.state === 'asleep' && GIVEN_BACK.has(replica.phase);
}

/** Whether a wake is under way that is to make it ready. */
export function isWaking(replica: Sleeper): boolean {
  return replica.power.flight !== null && !replica.draining && isWished(replica);
}

/** An operator who stops or parks one wants nobody to wait for it. */
export function isWished({ deployment }: Pick<ReplicaCandidate, 'deployment'>): boolean {
  return deployment.engine !== 'vllm' || deployment.wish === 'running';
}

/** @returns milliseconds until it is ready, see `ReplicaCandidate`. @param nowMs of the server's clock */
export function wakeInMs(power: HostPower, deployment: string, nowMs: number): number | null {
  const seconds = power.readySeconds[deployment];
  if (seconds === undefined) return null;
  const readyMs = seconds * 1000;
  return power.flight === null ? readyMs : Math.max(0, power.flight.askedAtMs + readyMs - nowMs);
}

const AWAY_STATES: ReadonlySet<string> = new Set(['asleep', 'offline', 'waking']);
const GIVEN_BACK: ReadonlySet<string> = new Set(['parked', 'absent']);

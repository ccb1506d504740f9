import type { HostPower } from '../../live/host-power.js';
import { type ExpectedReady, untilReadyMs } from '../../live/until-ready.js';
import type { ReplicaCandidate } from '../candidate.js';

type Sleeper = Pick<ReplicaCandidate, 'deployment' | 'presence' | 'draining' | 'power' | 'phase'>;

/**
 * Whether a wake could bring it: its host is away and nothing that is known of it rules a wake out, or the machine is on and
 * about to sleep, or gave its card back. Not so of one that an operator drains, or stopped.
 */
export function isAsleep(replica: Sleeper): boolean {
  const { power, phase } = replica;
  if (replica.draining || !isWished(replica)) return false;
  if (isGone(replica)) return power.wakeability.kind !== 'no' && AWAY_STATES.has(power.state);
  return isLeaving(power) || (power.state === 'asleep' && GIVEN_BACK.has(phase));
}

/** Its host has no link. */
export function isGone({ presence }: Pick<ReplicaCandidate, 'presence'>): boolean {
  return presence === 'away' || presence === 'unseen';
}

/** The fabric puts its host to sleep: what is new goes elsewhere. */
export function isLeaving({ goingToSleep }: HostPower): boolean {
  return goingToSleep !== null && goingToSleep.phase !== 'announced';
}

/** Whether a wake is under way that is to make it ready. */
export function isWaking(replica: Sleeper): boolean {
  return replica.power.flight !== null && !replica.draining && isWished(replica);
}

/**
 * Whether a wake is under way and nothing was heard of its engine yet: what is known of that is from before the sleep, and may
 * well say "ready".
 */
export function isUnheard({ flight }: HostPower): boolean {
  return flight !== null && flight.phase !== 'engine_up' && flight.phase !== 'model_ready';
}

/** An operator who stops or parks one wants nobody to wait for it. */
export function isWished({ deployment }: Pick<ReplicaCandidate, 'deployment'>): boolean {
  return deployment.engine !== 'vllm' || deployment.wish === 'running';
}

/** @returns milliseconds until it is ready, see `ReplicaCandidate`. @param nowMs of the server's clock */
export function wakeInMs(power: HostPower, deployment: string, nowMs: number): number | null {
  // Until it is through with what it has, it stays where somebody needs it.
  if (power.goingToSleep?.phase === 'draining') return 0;
  const expected = expectedReady(power, deployment);
  if (expected !== null) return untilReadyMs(expected, nowMs);
  const seconds = power.readySeconds[deployment];
  return seconds === undefined ? null : seconds * 1000;
}

/** Whether the wake that is under way takes longer than usual, or is seen to: it may be there at any moment. */
export function isWakeLate(power: HostPower, deployment: string, nowMs: number): boolean {
  const { flight, readySeconds } = power;
  const expected = expectedReady(power, deployment);
  if (flight === null || expected === null) return false;
  const usuallyAtMs = flight.askedAtMs + (readySeconds[deployment] ?? 0) * 1000;
  return nowMs >= expected.usuallyAtMs || expected.usuallyAtMs > usuallyAtMs + ROUNDED_MS;
}

/** Of the wake that is under way; one that nobody wanted of it yet takes what is usual, from the wish. */
function expectedReady({ flight, readySeconds }: HostPower, deployment: string): ExpectedReady | null {
  if (flight === null) return null;
  const told = flight.expected[deployment];
  const seconds = readySeconds[deployment];
  if (told !== undefined || seconds === undefined) return told ?? null;
  const readyAtMs = flight.askedAtMs + seconds * 1000;
  return { usuallyAtMs: readyAtMs, latestAtMs: readyAtMs };
}

/** `readySeconds` are whole ones. */
const ROUNDED_MS = 1_000;
const AWAY_STATES: ReadonlySet<string> = new Set(['asleep', 'offline', 'waking']);
const GIVEN_BACK: ReadonlySet<string> = new Set(['parked', 'absent']);

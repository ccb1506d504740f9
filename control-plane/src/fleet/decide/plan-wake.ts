import type { Wakeability } from '../../live/host-power.js';
import { SECOND_WAKE_SAVES_MS } from '../../live/until-ready.js';
import { whyNotTried } from './judge-wakeability.js';

/** A host that would serve what is asked for, as it stands now. */
export interface WakeCandidate {
  readonly host: string;
  /** Of its deployments that would serve it, the one that comes first. */
  readonly deployment: string;
  /** It has a link. */
  readonly isAwake: boolean;
  /** A wake of it is under way. */
  readonly isWaking: boolean;
  readonly wakeability: Wakeability;
  /** Whether packets can be sent at all. */
  readonly mayBeTried: boolean;
  /** From the wish to a ready model; of a wake that is under way what is left of that. */
  readonly readySeconds: number;
  /** What the machine draws without its cards, as declared; `null`: it is not. */
  readonly baseWatts: number | null;
  /** What its cards draw while they serve, as measured; `null`: that was not seen yet. */
  readonly cardWatts: number | null;
  /** Wall clock: until then no request wakes it. `null`: it may be woken now. */
  readonly quietUntilMs: number | null;
  /** Wall clock, and what went wrong: after a wake that failed. */
  readonly cooldown: { readonly untilMs: number; readonly why: string } | null;
}

export type WakePlan =
  | { readonly kind: 'join'; readonly candidate: WakeCandidate }
  | { readonly kind: 'start'; readonly candidate: WakeCandidate }
  /** Why of each host, in words. */
  | { readonly kind: 'refuse'; readonly detail: string };

/** Hosts that are ready within so much of the first are alike, and the one that draws less is woken. */
const ALIKE_SECONDS = 10;
const ALIKE_SHARE = 0.2;
const UNPROVEN_SECONDS = 60;

export interface WakeTerms {
  /** Wall clock. */
  readonly nowMs: number;
  /** For so long the request may wait. */
  readonly withinSeconds: number;
}

/**
 * Which host a request wakes: one that is ready while it may wait, where there is one. Never a second one while one is on its
 * way, unless that is too late for it (its weights are still to be fetched), and the second is ready in time and far sooner.
 */
export function planWake(
  candidates: readonly WakeCandidate[],
  { nowMs, withinSeconds }: WakeTerms,
): WakePlan {
  const isInTime = ({ readySeconds }: WakeCandidate) => readySeconds <= withinSeconds;
  const possible = candidates.filter((each) => !each.isWaking && obstacleOf(each, nowMs) === null);
  const inTime = best(possible.filter(isInTime));
  const waking = soonest(candidates.filter(({ isWaking }) => isWaking));
  if (waking) {
    const isSecondWorth =
      inTime !== null &&
      !isInTime(waking) &&
      expectedSeconds(inTime) + SECOND_WAKE_SAVES_MS / 1000 <= waking.readySeconds;
    return isSecondWorth ? { kind: 'start', candidate: inTime } : { kind: 'join', candidate: waking };
  }
  const chosen = inTime ?? best(possible);
  if (chosen) return { kind: 'start', candidate: chosen };
  if (candidates.length === 0) return { kind: 'refuse', detail: 'no host would serve this' };
  const told = candidates.map((candidate) => `${candidate.host}: ${obstacleOf(candidate, nowMs)}`);
  return { kind: 'refuse', detail: told.join('; ').slice(0, 800) };
}

/** Why a request wakes it not now; `null`: it may. */
function obstacleOf(candidate: WakeCandidate, nowMs: number): string | null {
  const { isAwake, wakeability, quietUntilMs, cooldown } = candidate;
  if (isAwake) return 'it is awake already';
  const hopeless = whyNotTried(candidate) ?? (wakeability.kind === 'no' ? wakeability.detail : null);
  if (hopeless !== null) return hopeless;
  if (cooldown !== null && cooldown.untilMs > nowMs) {
    return `${cooldown.why}; tried again in ${minutes(cooldown.untilMs - nowMs)}`;
  }
  if (quietUntilMs !== null) return `it has its quiet hours, for ${minutes(quietUntilMs - nowMs)} more`;
  return null;
}

function soonest(among: readonly WakeCandidate[]): WakeCandidate | null {
  return among.reduce<WakeCandidate | null>(
    (one, other) => (one === null || other.readySeconds < one.readySeconds ? other : one),
    null,
  );
}

/** The sooner ready; of those that are alike the one that draws less; of those the first declared. */
function best(among: readonly WakeCandidate[]): WakeCandidate | null {
  if (among.length === 0) return null;
  const soonest = Math.min(...among.map(expectedSeconds));
  const within = soonest + Math.max(ALIKE_SECONDS, soonest * ALIKE_SHARE);
  const alike = among.filter((candidate) => expectedSeconds(candidate) <= within);
  const wattsOf = comparableWatts(alike);
  return alike.reduce((one, other) => (wattsOf(other) < wattsOf(one) ? other : one));
}

/** A wake that was never proven may fail, which costs more than a little time. */
function expectedSeconds({ wakeability, readySeconds }: WakeCandidate): number {
  const isProven = wakeability.kind === 'yes' && wakeability.proven;
  return readySeconds + (isProven ? 0 : UNPROVEN_SECONDS);
}

/**
 * What each draws, in parts that are known of all: what was measured of the cards counts where it was measured of each. One of
 * whose machine nothing is declared is thought to draw the most, where only that can be compared.
 */
function comparableWatts(among: readonly WakeCandidate[]): (candidate: WakeCandidate) => number {
  if (among.some(({ cardWatts }) => cardWatts === null)) {
    return ({ baseWatts }) => baseWatts ?? Number.POSITIVE_INFINITY;
  }
  const areDeclared = among.every(({ baseWatts }) => baseWatts !== null);
  return ({ baseWatts, cardWatts }) => (cardWatts ?? 0) + (areDeclared ? (baseWatts ?? 0) : 0);
}

function minutes(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.ceil(ms / 1000))} s`;
  const total = Math.ceil(ms / 60_000);
  return total < 90 ? `${total} min` : `${Math.floor(total / 60)} h ${total % 60} min`;
}

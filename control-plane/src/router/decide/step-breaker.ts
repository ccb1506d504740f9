import { fullJitterDelayMs, type Random } from '@ai-fabric/shared';

/** Times are monotonic milliseconds. */
export type BreakerState = ClosedBreaker | OpenBreaker | HalfOpenBreaker;

interface BreakerCommon {
  /** Times it opened in a row without a good window in between: the cool-down grows with it. */
  readonly trips: number;
  /** The engine said that its queue is full: not before this. */
  readonly busyUntilMs: number;
}

export interface ClosedBreaker extends BreakerCommon {
  readonly phase: 'closed';
  readonly consecutiveFailures: number;
  readonly windowStartedAtMs: number;
  readonly windowSuccesses: number;
  readonly windowFailures: number;
}

interface OpenBreaker extends BreakerCommon {
  readonly phase: 'open';
  readonly untilMs: number;
}

interface HalfOpenBreaker extends BreakerCommon {
  readonly phase: 'half_open';
  /** `null`: no probe is out. */
  readonly probeStartedAtMs: number | null;
}

/** `probe`: the claim that this comes from was the one let through by a half-open breaker. */
export type BreakerEvent =
  /** Somebody is about to take the target. */
  | { readonly kind: 'claimed' }
  /** The first byte of an answer. */
  | { readonly kind: 'answered'; readonly probe: boolean }
  | { readonly kind: 'succeeded'; readonly probe: boolean }
  | { readonly kind: 'failed'; readonly probe: boolean }
  | { readonly kind: 'busy'; readonly probe: boolean }
  | { readonly kind: 'neutral'; readonly probe: boolean }
  /** The agent saw the replica become ready: a new engine, with nothing held against it. */
  | { readonly kind: 'ready_again' };

/** `refused`: a claim that the state does not allow. `probe`: allowed, as the one that tries the target again. */
export type BreakerEffect = 'none' | 'opened' | 'closed' | 'probe' | 'refused';

export interface BreakerStep {
  readonly state: BreakerState;
  readonly effect: BreakerEffect;
}

export interface BreakerSettings {
  /** Opens after so many failures in a row … */
  readonly consecutiveFailures: number;
  /** … or when so many outcomes of a window … */
  readonly windowMinimum: number;
  /** … failed in at least this share. */
  readonly windowFailureRatio: number;
  readonly windowMs: number;
  /** Cool-down: full jitter, never below `baseMs`, its ceiling doubling with each trip up to `capMs`. */
  readonly cooldown: { readonly baseMs: number; readonly capMs: number };
  /** A probe without an outcome for this long no longer keeps the next one out: streams may last minutes. */
  readonly probeIntervalMs: number;
  /** A busy engine is left alone for a random time between these. */
  readonly busyPause: { readonly leastMs: number; readonly mostMs: number };
}

export const freshBreaker: ClosedBreaker = {
  phase: 'closed',
  trips: 0,
  busyUntilMs: Number.NEGATIVE_INFINITY,
  consecutiveFailures: 0,
  windowStartedAtMs: Number.NEGATIVE_INFINITY,
  windowSuccesses: 0,
  windowFailures: 0,
};

/** Milliseconds until a claim would be admitted; 0: now. A busy pause is not counted in. */
export function breakerBlockedForMs(state: BreakerState, nowMs: number, settings: BreakerSettings): number {
  if (state.phase === 'closed') return 0;
  if (state.phase === 'open') return Math.max(0, state.untilMs - nowMs);
  if (state.probeStartedAtMs === null) return 0;
  return Math.max(0, state.probeStartedAtMs + settings.probeIntervalMs - nowMs);
}

/**
 * closed → open → half-open, with one probe → closed. Time passes by being told: an open breaker whose cool-down
 * is over becomes half-open with the claim that comes next, so no timer is needed.
 *
 * Outcomes of claims taken before the breaker opened arrive while it is open or half-open. They tell of an
 * engine that was, and change nothing; only the probe's outcome does.
 */
export function stepBreaker(
  state: BreakerState,
  event: BreakerEvent,
  nowMs: number,
  random: Random,
  settings: BreakerSettings,
): BreakerStep {
  if (event.kind === 'ready_again') {
    return { state: freshBreaker, effect: state.phase === 'closed' ? 'none' : 'closed' };
  }
  if (event.kind === 'busy')
    return { state: pause(state, event.probe, nowMs, random, settings), effect: 'none' };
  switch (state.phase) {
    case 'closed':
      return stepClosed(state, event, nowMs, random, settings);
    case 'open':
      return stepOpen(state, event, nowMs);
    case 'half_open':
      return stepHalfOpen(state, event, nowMs, random, settings);
  }
}

type Told = Exclude<BreakerEvent, { kind: 'ready_again' | 'busy' }>;

function stepClosed(
  before: ClosedBreaker,
  event: Told,
  nowMs: number,
  random: Random,
  settings: BreakerSettings,
): BreakerStep {
  switch (event.kind) {
    case 'succeeded': {
      const { trips, busyUntilMs, windowStartedAtMs, windowSuccesses, windowFailures } = rollWindow(
        before,
        nowMs,
        settings,
      );
      const state: ClosedBreaker = {
        phase: 'closed',
        trips,
        busyUntilMs,
        consecutiveFailures: 0,
        windowStartedAtMs,
        windowSuccesses: windowSuccesses + 1,
        windowFailures,
      };
      return { state, effect: 'none' };
    }
    case 'failed': {
      const state = rollWindow(before, nowMs, settings);
      const consecutiveFailures = state.consecutiveFailures + 1;
      const windowFailures = state.windowFailures + 1;
      const outcomes = windowFailures + state.windowSuccesses;
      const mostlyFails =
        outcomes >= settings.windowMinimum && windowFailures >= outcomes * settings.windowFailureRatio;
      if (consecutiveFailures >= settings.consecutiveFailures || mostlyFails) {
        return open(state, nowMs, random, settings);
      }
      return { state: { ...state, consecutiveFailures, windowFailures }, effect: 'none' };
    }
    case 'claimed':
    case 'answered':
    case 'neutral':
      return { state: before, effect: 'none' };
  }
}

function stepOpen(state: OpenBreaker, event: Told, nowMs: number): BreakerStep {
  if (event.kind !== 'claimed') return { state, effect: 'none' };
  return nowMs < state.untilMs ? { state, effect: 'refused' } : probe(state, nowMs);
}

function stepHalfOpen(
  state: HalfOpenBreaker,
  event: Told,
  nowMs: number,
  random: Random,
  settings: BreakerSettings,
): BreakerStep {
  if (event.kind === 'claimed') {
    const blocked = breakerBlockedForMs(state, nowMs, settings) > 0;
    return blocked ? { state, effect: 'refused' } : probe(state, nowMs);
  }
  if (!event.probe) return { state, effect: 'none' };
  switch (event.kind) {
    case 'answered':
    case 'succeeded': {
      const { trips, busyUntilMs } = state;
      const closed = { ...freshBreaker, trips, busyUntilMs, windowStartedAtMs: nowMs };
      return { state: closed, effect: 'closed' };
    }
    case 'failed':
      return open(state, nowMs, random, settings);
    case 'neutral':
      return { state: { ...state, probeStartedAtMs: null }, effect: 'none' };
  }
}

function open(state: BreakerState, nowMs: number, random: Random, settings: BreakerSettings): BreakerStep {
  const { baseMs } = settings.cooldown;
  const cooldownMs = Math.max(baseMs, fullJitterDelayMs(state.trips + 1, settings.cooldown, random));
  const { busyUntilMs } = state;
  return {
    state: { phase: 'open', trips: state.trips + 1, busyUntilMs, untilMs: nowMs + cooldownMs },
    effect: 'opened',
  };
}

function probe(state: OpenBreaker | HalfOpenBreaker, nowMs: number): BreakerStep {
  const { trips, busyUntilMs } = state;
  return { state: { phase: 'half_open', trips, busyUntilMs, probeStartedAtMs: nowMs }, effect: 'probe' };
}

/** An engine that says "queue full" is alive and proves nothing more: a probe that meets it may be sent again. */
function pause(
  state: BreakerState,
  isProbe: boolean,
  nowMs: number,
  random: Random,
  settings: BreakerSettings,
): BreakerState {
  const { leastMs, mostMs } = settings.busyPause;
  const busyUntilMs = Math.max(state.busyUntilMs, nowMs + leastMs + random() * (mostMs - leastMs));
  if (state.phase === 'half_open' && isProbe) return { ...state, busyUntilMs, probeStartedAtMs: null };
  return { ...state, busyUntilMs };
}

/** A window that ended without opening begins anew; what went before it is forgiven. */
function rollWindow(state: ClosedBreaker, nowMs: number, settings: BreakerSettings): ClosedBreaker {
  if (nowMs - state.windowStartedAtMs < settings.windowMs) return state;
  return { ...state, trips: 0, windowStartedAtMs: nowMs, windowSuccesses: 0, windowFailures: 0 };
}

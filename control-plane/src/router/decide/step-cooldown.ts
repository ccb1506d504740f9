import type { Random } from '@ai-fabric/shared';

/** Why a provider is left alone: it limits its rate, the account has no quota left, its key is refused, or it is to be paid first. */
export const REST_CAUSES = ['rate', 'quota', 'key', 'unpaid'] as const;
export type RestCause = (typeof REST_CAUSES)[number];

/** Times are monotonic milliseconds. */
export interface CooldownState {
  /** Not asked before. Never moved to an earlier time. */
  readonly untilMs: number;
  /** Of what set that time. */
  readonly cause: RestCause;
  /** Refusals in a row that told no time: the next rest is longer for each. */
  readonly strikes: number;
}

export type CooldownEvent =
  | { readonly kind: 'answered' }
  /** @param forMs as it was told; `null`: it was not */
  | { readonly kind: 'refused'; readonly cause: RestCause; readonly forMs: number | null };

export interface CooldownSettings {
  /** Of a refusal that tells no time: this, doubled with each one in a row … */
  readonly baseMs: number;
  /** … up to this … */
  readonly capMs: number;
  /** … and by chance up to this share more or less, so that not everybody comes back at once. */
  readonly jitterRatio: number;
  /** However long it was told. */
  readonly mostMs: number;
  /** Of the causes that waiting alone does not mend: how soon it is tried all the same. */
  readonly restMs: Readonly<Record<Exclude<RestCause, 'rate'>, number>>;
}

export const noCooldown: CooldownState = {
  untilMs: Number.NEGATIVE_INFINITY,
  cause: 'rate',
  strikes: 0,
};

/**
 * A rest only lengthens: what a slow answer tells late, or another says of a shorter time, ends none. Answers that cross are
 * one refusal, so strikes are counted once a rest; and only what is answered after its end forgives them.
 */
export function stepCooldown(
  state: CooldownState,
  event: CooldownEvent,
  nowMs: number,
  random: Random,
  settings: CooldownSettings,
): CooldownState {
  const isResting = nowMs < state.untilMs;
  if (event.kind === 'answered') return isResting || state.strikes === 0 ? state : { ...state, strikes: 0 };
  const { cause, forMs } = event;
  const isStrike = cause === 'rate' && forMs === null;
  const strikes = isStrike && !isResting ? state.strikes + 1 : state.strikes;
  const restMs = forMs ?? (cause === 'rate' ? backOff(strikes, random, settings) : settings.restMs[cause]);
  const untilMs = nowMs + Math.min(Math.max(restMs, 0), settings.mostMs);
  if (untilMs <= state.untilMs) return strikes === state.strikes ? state : { ...state, strikes };
  return { untilMs, cause, strikes };
}

function backOff(strikes: number, random: Random, settings: CooldownSettings): number {
  const { baseMs, capMs, jitterRatio } = settings;
  const exponent = Math.min(Math.max(strikes - 1, 0), MOST_DOUBLINGS);
  return Math.min(capMs, baseMs * 2 ** exponent) * (1 + jitterRatio * (2 * random() - 1));
}

/** Beyond it every cap is reached. */
const MOST_DOUBLINGS = 30;

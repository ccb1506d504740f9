import type { YieldCause, YieldSettings, YieldState } from '@ai-fabric/shared';
import { type ForeignUse, UNKNOWN_USE } from './judge-foreign-use.js';

/** Whose the cards of this host are, and why. A value; times are monotonic milliseconds. */
export interface OwnerState {
  readonly phase: YieldState;
  readonly sinceMs: number;
  /** Who wants the cards. */
  readonly claims: Claims;
  /** When the cards were first wanted; `null`: nobody wants them. */
  readonly wantedAtMs: number | null;
  /** From the wish to free cards, the last time. */
  readonly freedSeconds: number | null;
  readonly watch: ForeignWatch;
}

export interface Claims {
  readonly owner: boolean;
  readonly operator: boolean;
  readonly foreign: boolean;
}

/** What is seen of others on the cards, over time. */
export interface ForeignWatch {
  readonly use: ForeignUse;
  /** Since when each sample showed plain use; use of any kind; none. */
  readonly plainSinceMs: number | null;
  readonly anySinceMs: number | null;
  readonly quietSinceMs: number | null;
  /** Somebody said that it does not matter: until it was gone for once. */
  readonly dismissed: boolean;
  readonly returnedAtMs: number | null;
  /** How many times the declared quiet is waited for: more after each return that came too early. */
  readonly patience: number;
}

export type OwnerEvent =
  | { readonly kind: 'sampled'; readonly use: ForeignUse }
  | { readonly kind: 'asked'; readonly by: 'owner' | 'operator'; readonly yields: boolean }
  /** All cards are free. */
  | { readonly kind: 'freed' }
  /** Others hold from now on. */
  | { readonly kind: 'settings' };

/** `hold`: drain and free the cards. `release`: become what is declared. `save`: what must outlive this process changed. */
export type OwnerEffect = 'hold' | 'release' | 'save';

export interface OwnerStep {
  readonly state: OwnerState;
  readonly effects: readonly OwnerEffect[];
}

const NO_CLAIMS: Claims = { owner: false, operator: false, foreign: false };
/** Plain use is believed when it is seen again. */
const CONFIRM_MS = 1_500;
/** The desktop itself works hard for a moment: use that takes hardly any memory has to last. */
const LASTS_MS = 10_000;
const HARDLY_ANY = 0.25;
/** Quiet is well below what counts as use: what hovers about the limit is not quiet. */
const QUIET_RATIO = 0.7;
/** What was dismissed is over when it was gone for so long. */
const GONE_MS = 10_000;
const MOST_PATIENCE = 8;

/** @param claims as they were when the agent was stopped */
export function newOwnerState(nowMs: number, claims: Claims = NO_CLAIMS): OwnerState {
  const wanted = isWanted(claims);
  return {
    phase: wanted ? 'yielding' : 'serving',
    sinceMs: nowMs,
    claims,
    wantedAtMs: wanted ? nowMs : null,
    freedSeconds: null,
    watch: {
      use: UNKNOWN_USE,
      ...{ plainSinceMs: null, anySinceMs: null, quietSinceMs: null },
      ...{ dismissed: false, returnedAtMs: null, patience: 1 },
    },
  };
}

/** Why it is not serving; `null`: it is. What was said goes before what was seen. */
export function causeOf({ owner, operator, foreign }: Claims): YieldCause | null {
  if (owner) return 'owner';
  if (operator) return 'operator';
  return foreign ? 'foreign_use' : null;
}

/**
 * The next state. Total: every event has a meaning in every state.
 *
 * @param nowMs monotonic
 */
export function stepOwner(
  state: OwnerState,
  event: OwnerEvent,
  settings: YieldSettings,
  nowMs: number,
): OwnerStep {
  switch (event.kind) {
    case 'sampled':
      return settle(state, sample(state, event.use, settings, nowMs), nowMs);
    case 'asked':
      return settle(state, ask(state, event, nowMs), nowMs);
    case 'freed':
      return { state: free(state, nowMs), effects: [] };
    case 'settings':
      return renew(settle(state, settings.automatic ? state : withForeign(state, false), nowMs));
    default:
      return event satisfies never;
  }
}

function sample(state: OwnerState, use: ForeignUse, settings: YieldSettings, nowMs: number): OwnerState {
  const { watch } = state;
  const isPlain = isPlainUse(use, settings);
  const quiet = isQuiet(use, settings);
  const seen: ForeignWatch = {
    ...watch,
    use,
    plainSinceMs: isPlain ? (watch.plainSinceMs ?? nowMs) : null,
    anySinceMs: isPlain || isBusy(use, settings) ? (watch.anySinceMs ?? nowMs) : null,
    quietSinceMs: quiet ? (watch.quietSinceMs ?? nowMs) : null,
  };
  const watched = { ...seen, dismissed: seen.dismissed && !lasted(seen.quietSinceMs, GONE_MS, nowMs) };
  const next = { ...state, watch: watched };
  if (!settings.automatic) return next;
  return state.claims.foreign ? endForeign(next, settings, nowMs) : beginForeign(next, settings, nowMs);
}

function beginForeign(state: OwnerState, settings: YieldSettings, nowMs: number): OwnerState {
  const { watch } = state;
  const believed = lasted(watch.plainSinceMs, CONFIRM_MS, nowMs) || lasted(watch.anySinceMs, LASTS_MS, nowMs);
  if (!believed || watch.dismissed) return state;
  const { returnedAtMs } = watch;
  const tooEarly = returnedAtMs !== null && nowMs - returnedAtMs < 2 * quietMs(settings, watch.patience);
  const patience = tooEarly ? Math.min(MOST_PATIENCE, watch.patience * 2) : 1;
  return {
    ...withForeign(state, true),
    wantedAtMs: state.wantedAtMs ?? watch.anySinceMs,
    watch: { ...watch, patience },
  };
}

function endForeign(state: OwnerState, settings: YieldSettings, nowMs: number): OwnerState {
  const { watch } = state;
  if (!lasted(watch.quietSinceMs, quietMs(settings, watch.patience), nowMs)) return state;
  return { ...withForeign(state, false), watch: { ...watch, returnedAtMs: nowMs } };
}

/** Whoever gives the cards back means it whatever runs on them; the owner also speaks for the operator. */
function ask(
  state: OwnerState,
  { by, yields }: Extract<OwnerEvent, { kind: 'asked' }>,
  nowMs: number,
): OwnerState {
  const { claims, watch } = state;
  if (yields) return { ...state, claims: { ...claims, [by]: true }, wantedAtMs: state.wantedAtMs ?? nowMs };
  const isUsed = claims.foreign || watch.anySinceMs !== null;
  return {
    ...state,
    claims: by === 'owner' ? NO_CLAIMS : { ...claims, operator: false, foreign: false },
    watch: { ...watch, dismissed: watch.dismissed || isUsed },
  };
}

function free(state: OwnerState, nowMs: number): OwnerState {
  if (state.phase !== 'yielding') return state;
  const freedSeconds = Math.round((nowMs - (state.wantedAtMs ?? nowMs)) / 100) / 10;
  return { ...state, phase: 'yielded', sinceMs: nowMs, freedSeconds };
}

/** What the claims come to. */
function settle(before: OwnerState, after: OwnerState, nowMs: number): OwnerStep {
  const wanted = isWanted(after.claims);
  const changed = (['owner', 'operator', 'foreign'] as const).some(
    (claim) => before.claims[claim] !== after.claims[claim],
  );
  const save: readonly OwnerEffect[] = changed ? ['save'] : [];
  if (wanted && after.phase === 'serving') {
    const state: OwnerState = { ...after, phase: 'yielding', sinceMs: nowMs };
    return { state, effects: ['hold', ...save] };
  }
  if (!wanted && after.phase !== 'serving') {
    const state: OwnerState = { ...after, phase: 'serving', sinceMs: nowMs, wantedAtMs: null };
    return { state, effects: ['release', ...save] };
  }
  return { state: after, effects: save };
}

/** What holds the cards holds them on the new terms. */
function renew(step: OwnerStep): OwnerStep {
  const isHeld = step.state.phase !== 'serving';
  return isHeld ? { ...step, effects: ['hold', ...step.effects] } : step;
}

function withForeign(state: OwnerState, foreign: boolean): OwnerState {
  return { ...state, claims: { ...state.claims, foreign } };
}

function isWanted({ owner, operator, foreign }: Claims): boolean {
  return owner || operator || foreign;
}

function quietMs({ quietSeconds }: YieldSettings, patience: number): number {
  return quietSeconds * 1_000 * patience;
}

function lasted(sinceMs: number | null, forMs: number, nowMs: number): boolean {
  return sinceMs !== null && nowMs - sinceMs >= forMs;
}

/** Memory that counts, or work with more memory than a window takes. */
function isPlainUse(use: ForeignUse, settings: YieldSettings): boolean {
  const { vramBytes } = use;
  if (vramBytes === null) return false;
  if (vramBytes > 0 && vramBytes >= settings.vramBytes) return true;
  return vramBytes > 0 && vramBytes >= settings.vramBytes * HARDLY_ANY && isBusy(use, settings);
}

function isBusy({ utilisationRatio }: ForeignUse, settings: YieldSettings): boolean {
  return utilisationRatio !== null && utilisationRatio > 0 && utilisationRatio >= settings.utilisationRatio;
}

/** What cannot be told is not quiet. */
function isQuiet({ vramBytes, utilisationRatio }: ForeignUse, settings: YieldSettings): boolean {
  if (vramBytes === null && utilisationRatio === null) return false;
  return isLow(vramBytes, settings.vramBytes) && isLow(utilisationRatio, settings.utilisationRatio);
}

function isLow(value: number | null, limit: number): boolean {
  return value === null || value === 0 || value < limit * QUIET_RATIO;
}

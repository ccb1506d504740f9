import { LATE_AFTER_MS, OFFLINE_AFTER_MS } from '@ai-fabric/shared';
import type { Presence } from '../live-view.js';

/** Ages are measured on the monotonic clock; the wall clock only says when it began, for people. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface PresenceState {
  readonly presence: Presence;
  /** Wall clock. */
  readonly sinceMs: number;
  /** Monotonic; `null`: not heard from in this process. */
  readonly heardAtMs: number | null;
  readonly linked: boolean;
}

export type PresenceEvent =
  | { readonly kind: 'linked' }
  /** Any frame or pong. */
  | { readonly kind: 'heard' }
  /** `final`: it said that it goes away for good or for long, or it was silent past the limit. */
  | { readonly kind: 'unlinked'; readonly final: boolean }
  | { readonly kind: 'tick' };

export function presenceOf(presence: 'away' | 'unseen', sinceMs: number): PresenceState {
  return { presence, sinceMs, heardAtMs: null, linked: false };
}

/**
 * A connection that only broke keeps its host where its silence puts it: the agent is back within seconds as a
 * rule, and what runs on the host runs on. Returns the same state when nothing changes.
 */
export function advancePresence(state: PresenceState, event: PresenceEvent, at: Moment): PresenceState {
  switch (event.kind) {
    case 'linked':
      return enter({ ...state, linked: true, heardAtMs: at.monotonicMs }, 'online', at);
    case 'heard':
      // What was under way when the link ended says nothing of now.
      if (!state.linked) return state;
      return enter({ ...state, heardAtMs: at.monotonicMs }, 'online', at);
    case 'unlinked':
      return unlink(state, event.final && state.presence !== 'unseen', at);
    case 'tick':
      return tick(state, at);
    default:
      return event satisfies never;
  }
}

function unlink(state: PresenceState, away: boolean, at: Moment): PresenceState {
  const unlinked = state.linked ? { ...state, linked: false } : state;
  return away ? enter(unlinked, 'away', at) : unlinked;
}

function tick(state: PresenceState, at: Moment): PresenceState {
  if (state.heardAtMs === null || state.presence === 'unseen' || state.presence === 'away') return state;
  const silentForMs = at.monotonicMs - state.heardAtMs;
  if (silentForMs >= OFFLINE_AFTER_MS) return enter(state, 'away', at);
  // Late stays late until it is heard again: only a sign of life makes a host online.
  return silentForMs >= LATE_AFTER_MS ? enter(state, 'late', at) : state;
}

function enter(state: PresenceState, presence: Presence, at: Moment): PresenceState {
  return state.presence === presence ? state : { ...state, presence, sinceMs: at.wallMs };
}

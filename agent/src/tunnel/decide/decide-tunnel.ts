import type { TunnelFailure } from '../tunnel-failure.js';
import { planTunnelRetryMs } from './plan-tunnel-retry.js';

/** `attempt` counts dials that came to nothing since the last tunnel that held. Times are monotonic. */
export type TunnelState =
  /** Without a link there is no tunnel to ask for. */
  | { readonly name: 'idle' }
  | { readonly name: 'dialling'; readonly attempt: number; readonly linked: boolean }
  | { readonly name: 'open'; readonly attempt: number; readonly linked: boolean; readonly sinceMs: number }
  | { readonly name: 'waiting'; readonly attempt: number }
  | { readonly name: 'stopped' };

export type TunnelEvent =
  | { readonly type: 'linked' }
  | { readonly type: 'unlinked' }
  | { readonly type: 'opened' }
  | { readonly type: 'ended'; readonly failure: TunnelFailure }
  | { readonly type: 'retry' }
  /** The machine goes to sleep or was asleep: what is open is not to be used. */
  | { readonly type: 'slept' }
  | { readonly type: 'stop' };

export type TunnelEffect =
  | { readonly type: 'dial' }
  | { readonly type: 'arm'; readonly delayMs: number }
  | { readonly type: 'disarm' }
  /** Ends what there is: the dial or the session. */
  | { readonly type: 'cut' }
  | { readonly type: 'announce_open' }
  | {
      readonly type: 'announce_ended';
      readonly failure: TunnelFailure;
      readonly wasOpen: boolean;
      readonly held: boolean;
    };

export interface TunnelMoment {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly jitter: number;
}

export type TunnelDecision =
  | { readonly ok: true; readonly state: TunnelState; readonly effects: readonly TunnelEffect[] }
  | { readonly ok: false; readonly refusal: { readonly state: string; readonly event: string } };

/** A tunnel that did not hold this long did not hold: the next waits grow. */
const STABLE_AFTER_MS = 10_000;

/** The one place that says what the tunnel does next. */
export function decideTunnel(state: TunnelState, event: TunnelEvent, moment: TunnelMoment): TunnelDecision {
  if (event.type === 'stop') {
    if (state.name === 'stopped') return refuse(state, event);
    return go({ name: 'stopped' }, { type: 'disarm' }, { type: 'cut' });
  }
  switch (state.name) {
    case 'idle':
      return event.type === 'linked' ? dial(0) : refuse(state, event);
    case 'waiting':
      if (event.type === 'linked') return dial(0, { type: 'disarm' });
      if (event.type === 'unlinked') return go({ name: 'idle' }, { type: 'disarm' });
      return event.type === 'retry' ? dial(state.attempt) : refuse(state, event);
    case 'dialling':
    case 'open':
      return decideRunning(state, event, moment);
    case 'stopped':
      return refuse(state, event);
    default:
      return state satisfies never;
  }
}

type Running = Extract<TunnelState, { name: 'dialling' | 'open' }>;

function decideRunning(
  state: Running,
  event: Exclude<TunnelEvent, { type: 'stop' }>,
  moment: TunnelMoment,
): TunnelDecision {
  switch (event.type) {
    // A link that comes and goes leaves an open tunnel be: each watches over itself.
    case 'linked':
      return go({ ...state, linked: true });
    case 'unlinked':
      return go({ ...state, linked: false });
    case 'opened':
      if (state.name === 'open') return refuse(state, event);
      return go({ ...state, name: 'open', sinceMs: moment.nowMs }, { type: 'announce_open' });
    case 'ended':
      return ended(state, event.failure, moment);
    case 'slept':
      return go(state, { type: 'cut' });
    case 'retry':
      return refuse(state, event);
    default:
      return event satisfies never;
  }
}

function ended(state: Running, failure: TunnelFailure, moment: TunnelMoment): TunnelDecision {
  const wasOpen = state.name === 'open';
  const held = wasOpen && moment.nowMs - state.sinceMs >= STABLE_AFTER_MS;
  const announce = { type: 'announce_ended', failure, wasOpen, held } as const;
  if (!state.linked) return go({ name: 'idle' }, announce);
  const attempt = held ? 0 : state.attempt;
  const delayMs = planTunnelRetryMs(failure, attempt, moment.jitter);
  return go({ name: 'waiting', attempt: attempt + 1 }, announce, { type: 'arm', delayMs });
}

function dial(attempt: number, ...before: TunnelEffect[]): TunnelDecision {
  return go({ name: 'dialling', attempt, linked: true }, ...before, { type: 'dial' });
}

function go(state: TunnelState, ...effects: TunnelEffect[]): TunnelDecision {
  return { ok: true, state, effects };
}

function refuse(state: TunnelState, event: TunnelEvent): TunnelDecision {
  return { ok: false, refusal: { state: state.name, event: event.type } };
}

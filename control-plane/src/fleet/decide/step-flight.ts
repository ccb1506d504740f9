import type { GoodbyeReason, ReplicaPhase } from '@ai-fabric/shared';
import type { WakePhase } from '../../live/host-power.js';

/** When volleys of packets leave, since the first could be of use. */
export const VOLLEYS_AT_MS: readonly number[] = [0, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000];

export const WAKE_PHASES: readonly WakePhase[] = [
  'packet_sent',
  'answers',
  'agent_back',
  'engine_up',
  'model_ready',
];

export type FlightEnd =
  | { readonly outcome: 'ready' }
  | {
      readonly outcome: 'failed';
      /** The first that was not reached. */
      readonly phase: WakePhase;
      readonly code: FailureCode;
      readonly detail: string;
    }
  | { readonly outcome: 'cancelled'; readonly detail: string };

export type FailureCode =
  /** Not in time. */
  | 'timeout'
  /** No packet could be sent, by any path. */
  | 'not_sent'
  /** It stands at its login screen, and its container engine waits for somebody who signs in. */
  | 'sign_in_needed'
  /** It came, and went again by itself. */
  | 'slept_again'
  /** The model will not come by itself. */
  | 'engine_failed';

/**
 * One wake of one host. `calling`: it has no link yet; `starting`: its agent is back and its models are awaited. Times are
 * milliseconds since the wish.
 */
export interface FlightState {
  readonly name: 'calling' | 'starting' | 'ended';
  readonly reached: Readonly<Partial<Record<WakePhase, number>>>;
  /** Since when packets can be of use: not before it has gone to sleep. */
  readonly callsFromMs: number;
  /** How often it went again without a word, and was called anew. */
  readonly recalls: number;
  /** Volleys that were ordered, since it was called last. */
  readonly volleys: number;
  /** Deployments that somebody wants of it. None: its agent is enough. */
  readonly wanted: readonly string[];
  readonly readyAt: Readonly<Record<string, number>>;
  /** Deployments whose weights were fetched on the way: that says nothing of the next wake. */
  readonly fetched: readonly string[];
  /** It was told that it waits for somebody who signs in, while it was still given time. */
  readonly missedSignIn: boolean;
  /** What went wrong on the way, the latest last. */
  readonly notes: readonly string[];
  readonly end: FlightEnd | null;
}

export type FlightEvent =
  | { readonly type: 'tick' }
  /** It was on its way to sleep, and has gone: it is called from now on. */
  | { readonly type: 'call' }
  /** A volley was sent by at least one path, or by none. */
  | { readonly type: 'volley_sent'; readonly isOut: boolean; readonly notes: readonly string[] }
  | { readonly type: 'answered' }
  | { readonly type: 'linked' }
  /** A replica of the host as it was told on its new link. */
  | {
      readonly type: 'replica';
      readonly deployment: string;
      readonly phase: ReplicaPhase;
      /** Its agent keeps its container: that it starts tells that the container engine is up. */
      readonly isManaged: boolean;
      /** Its weights are fetched; left out, they are not. */
      readonly fetches?: boolean;
      readonly code: string | null;
      readonly detail: string | null;
    }
  | { readonly type: 'sign_in_needed'; readonly detail: string }
  /** What was parked does not come back. */
  | { readonly type: 'not_unparked'; readonly detail: string }
  /** It is away again. */
  | { readonly type: 'gone'; readonly reason: GoodbyeReason | null }
  | { readonly type: 'want'; readonly deployments: readonly string[] }
  | { readonly type: 'cancel'; readonly detail: string };

export type FlightEffect =
  | { readonly type: 'send_volley' }
  | { readonly type: 'reached'; readonly phase: WakePhase }
  /** Its system must not put it to sleep again at once. */
  | { readonly type: 'hold_awake' }
  | { readonly type: 'ended'; readonly end: FlightEnd };

export interface FlightRules {
  readonly timeoutMs: number;
  /** A system that signs somebody in by itself takes a while: for so long after its agent is back nobody is missed. */
  readonly signInGraceMs: number;
}

export type FlightStep =
  | { readonly ok: true; readonly state: FlightState; readonly effects: readonly FlightEffect[] }
  | {
      readonly ok: false;
      readonly refusal: { readonly state: 'ended'; readonly event: FlightEvent['type'] };
    };

const MOST_NOTES = 8;
/** A machine that goes without a word again and again is left alone until the wake is over. */
const MOST_RECALLS = 2;
const ENGINE_UP_MANAGED: ReadonlySet<ReplicaPhase> = new Set(['starting', 'loading', 'warming', 'ready']);
const ENGINE_UP: ReadonlySet<ReplicaPhase> = new Set(['loading', 'warming', 'ready']);

/** @param callsFromMs `Infinity`: not before it is told to */
export function newFlight(wanted: readonly string[], callsFromMs = 0): FlightState {
  return {
    name: 'calling',
    reached: {},
    callsFromMs,
    recalls: 0,
    volleys: 0,
    wanted,
    readyAt: {},
    fetched: [],
    missedSignIn: false,
    notes: [],
    end: null,
  };
}

/** @param atMs since the wish */
export function stepFlight(
  state: FlightState,
  event: FlightEvent,
  atMs: number,
  rules: FlightRules,
): FlightStep {
  if (state.name === 'ended') return { ok: false, refusal: { state: 'ended', event: event.type } };
  switch (event.type) {
    case 'tick':
      return tick(state, atMs, rules);
    case 'call':
      return call(state, atMs, rules);
    case 'volley_sent':
      return volleySent(state, event, atMs);
    case 'answered':
      return state.name === 'calling' ? reach(state, 'answers', atMs) : same(state);
    case 'linked':
      return linked(state, atMs);
    case 'replica':
      return replica(state, event, atMs, rules);
    case 'sign_in_needed':
      return missesSignIn(state, atMs, rules)
        ? fail(state, 'sign_in_needed', event.detail)
        : same({ ...state, missedSignIn: state.missedSignIn || state.name === 'starting' });
    case 'not_unparked':
      return fail(state, 'engine_failed', event.detail);
    case 'gone':
      return gone(state, event.reason, atMs, rules);
    case 'want':
      return settle({ ...state, wanted: [...new Set([...state.wanted, ...event.deployments])] }, [], atMs);
    case 'cancel':
      return ended(state, { outcome: 'cancelled', detail: event.detail });
    default:
      return event satisfies never;
  }
}

/** When the next `tick` is due, since the wish; `null`: it has ended. */
export function nextTickMs(state: FlightState, rules: FlightRules): number | null {
  if (state.name === 'ended') return null;
  const volleyMs = state.name === 'calling' ? VOLLEYS_AT_MS[state.volleys] : undefined;
  if (volleyMs === undefined) return rules.timeoutMs;
  return Math.min(state.callsFromMs + volleyMs, rules.timeoutMs);
}

/** The first phase that is not behind it. */
export function nextPhase(state: FlightState): WakePhase {
  const last = WAKE_PHASES.findLastIndex((phase) => state.reached[phase] !== undefined);
  return WAKE_PHASES[last + 1] ?? 'model_ready';
}

function call(state: FlightState, atMs: number, rules: FlightRules): FlightStep {
  return tick({ ...state, callsFromMs: atMs, volleys: 0 }, atMs, rules);
}

function tick(state: FlightState, atMs: number, { timeoutMs }: FlightRules): FlightStep {
  if (atMs >= timeoutMs) {
    if (Object.keys(state.readyAt).length > 0) return ended(state, { outcome: 'ready' });
    if (state.name === 'calling' && state.reached.packet_sent === undefined) return failUnsent(state);
    return fail(state, 'timeout', `not within ${Math.round(timeoutMs / 1000)} s`);
  }
  const dueMs = VOLLEYS_AT_MS[state.volleys];
  const calledForMs = atMs - state.callsFromMs;
  if (state.name !== 'calling' || dueMs === undefined || calledForMs < dueMs) return same(state);
  // Ticks that came late owe one volley, not all that were missed.
  const due = VOLLEYS_AT_MS.filter((each) => each <= calledForMs).length;
  return { ok: true, state: { ...state, volleys: due }, effects: [{ type: 'send_volley' }] };
}

function volleySent(
  state: FlightState,
  { isOut, notes }: Extract<FlightEvent, { type: 'volley_sent' }>,
  atMs: number,
): FlightStep {
  const noted = { ...state, notes: [...state.notes, ...notes].slice(-MOST_NOTES) };
  if (isOut) return reach(noted, 'packet_sent', atMs);
  const isLast = state.volleys >= VOLLEYS_AT_MS.length;
  if (!isLast || state.name !== 'calling' || state.reached.packet_sent !== undefined) return same(noted);
  return failUnsent(noted);
}

function linked(state: FlightState, atMs: number): FlightStep {
  if (state.name === 'starting') return same(state);
  const { reached, effects } = reaching(state, 'agent_back', atMs);
  return settle({ ...state, name: 'starting', reached }, [...effects, { type: 'hold_awake' }], atMs);
}

function replica(
  state: FlightState,
  event: Extract<FlightEvent, { type: 'replica' }>,
  atMs: number,
  rules: FlightRules,
): FlightStep {
  const { deployment, phase, isManaged, code, detail } = event;
  if (state.name !== 'starting' || !state.wanted.includes(deployment)) return same(state);
  const isUp = (isManaged ? ENGINE_UP_MANAGED : ENGINE_UP).has(phase);
  const { reached, effects } = isUp
    ? reaching(state, 'engine_up', atMs)
    : { reached: state.reached, effects: [] };
  if (phase === 'failed' && code === 'sign_in_needed') {
    if (!missesSignIn(state, atMs, rules)) return same({ ...state, missedSignIn: true });
    return fail(state, 'sign_in_needed', detail ?? 'its container engine waits for somebody who signs in');
  }
  if (phase === 'crash_looping' && state.wanted.length === 1) {
    return fail({ ...state, reached }, 'engine_failed', detail ?? code ?? 'its engine ends again and again');
  }
  const isNewFetch = event.fetches === true && !state.fetched.includes(deployment);
  const fetched = isNewFetch ? [...state.fetched, deployment] : state.fetched;
  const isFirst = phase === 'ready' && state.readyAt[deployment] === undefined;
  const readyAt = isFirst ? { ...state.readyAt, [deployment]: atMs } : state.readyAt;
  return settle({ ...state, reached, readyAt, fetched }, effects, atMs);
}

function missesSignIn({ name, reached }: FlightState, atMs: number, { signInGraceMs }: FlightRules): boolean {
  return name === 'starting' && atMs - (reached.agent_back ?? atMs) >= signInGraceMs;
}

/** An agent that is upgraded or restarted comes back; a machine that sleeps again does not. */
function gone(
  state: FlightState,
  reason: GoodbyeReason | null,
  atMs: number,
  rules: FlightRules,
): FlightStep {
  if (state.name !== 'starting') return same(state);
  if (reason === 'suspend' || reason === 'shutdown') {
    const seconds = Math.round((atMs - (state.reached.agent_back ?? atMs)) / 1000);
    const how = reason === 'suspend' ? 'went to sleep' : 'shut down';
    return fail(state, 'slept_again', `it ${how} again by itself, ${seconds} s after its agent was back`);
  }
  // Without a word it may sleep again, as Windows does: it is called anew. Who said otherwise comes back by itself.
  if (reason !== null || state.recalls >= MOST_RECALLS) return same(state);
  const anew = { ...state, name: 'calling', reached: {}, readyAt: {}, recalls: state.recalls + 1 } as const;
  return call(anew, atMs, rules);
}

/** Ends where all that is wanted is there. */
function settle(state: FlightState, effects: readonly FlightEffect[], atMs: number): FlightStep {
  const isDone = state.name === 'starting' && state.wanted.every((name) => state.readyAt[name] !== undefined);
  if (!isDone) return { ok: true, state, effects };
  const last =
    state.wanted.length > 0 ? reaching(state, 'model_ready', atMs) : { reached: state.reached, effects: [] };
  const done = ended({ ...state, reached: last.reached }, { outcome: 'ready' });
  return done.ok ? { ...done, effects: [...effects, ...last.effects, ...done.effects] } : done;
}

function reach(state: FlightState, phase: WakePhase, atMs: number): FlightStep {
  const { reached, effects } = reaching(state, phase, atMs);
  return { ok: true, state: { ...state, reached }, effects };
}

function reaching(
  { reached }: FlightState,
  phase: WakePhase,
  atMs: number,
): { readonly reached: FlightState['reached']; readonly effects: readonly FlightEffect[] } {
  if (reached[phase] !== undefined) return { reached, effects: [] };
  return { reached: { ...reached, [phase]: atMs }, effects: [{ type: 'reached', phase }] };
}

function failUnsent(state: FlightState): FlightStep {
  return fail(state, 'not_sent', state.notes.at(-1) ?? 'no packet was sent');
}

function fail(state: FlightState, code: FailureCode, detail: string): FlightStep {
  return ended(state, { outcome: 'failed', phase: nextPhase(state), code, detail });
}

function ended(state: FlightState, end: FlightEnd): FlightStep {
  return { ok: true, state: { ...state, name: 'ended', end }, effects: [{ type: 'ended', end }] };
}

function same(state: FlightState): FlightStep {
  return { ok: true, state, effects: [] };
}

import type { SleepAction, SleepAsker } from './plan-sleep.js';

/**
 * How a host is put to sleep: told to everybody, drained, then asked of its agent, which stops or parks the engines, says
 * goodbye, and acts. Until the agent was asked it can be taken back; what is under way then ends with the host asleep, or
 * with a failure that leaves it awake.
 */

export interface SleepTerms {
  readonly action: SleepAction;
  readonly asker: SleepAsker;
  /** In words, for the agent's log and the operator. */
  readonly reason: string;
  readonly drainMs: number;
  /** No request takes it back: an operator insists. */
  readonly isForced: boolean;
}

export type SleepState =
  | { readonly name: 'awake' }
  /** New requests go elsewhere; one that has nowhere else to go takes it back. */
  | {
      readonly name: 'draining';
      readonly terms: SleepTerms;
      readonly sinceMs: number;
      readonly deadlineMs: number;
    }
  /** Its agent was asked. */
  | {
      readonly name: 'going';
      readonly terms: SleepTerms;
      readonly sinceMs: number;
      readonly deadlineMs: number;
    }
  /** Its agent did as it was asked: with its link gone, or with the card free where that was all. */
  | { readonly name: 'asleep'; readonly terms: SleepTerms; readonly sinceMs: number };

export type SleepEvent =
  | { readonly kind: 'begin'; readonly terms: SleepTerms }
  /** A request that nobody else can serve. */
  | { readonly kind: 'cancel'; readonly why: string }
  | { readonly kind: 'tick'; readonly requestsInFlight: number }
  /** What its agent answered. `ok: false`: nothing was done, and it says why. */
  | { readonly kind: 'answered'; readonly ok: boolean; readonly code: string; readonly detail: string }
  /** Its link ended. */
  | { readonly kind: 'unlinked'; readonly goodbyeReason: string | null }
  | { readonly kind: 'linked' };

export type SleepEffect =
  /** Of its agent; what runs may finish for so long. */
  | { readonly kind: 'ask'; readonly terms: SleepTerms; readonly drainMs: number }
  | { readonly kind: 'slept'; readonly terms: SleepTerms; readonly tookMs: number }
  | {
      readonly kind: 'failed';
      readonly terms: SleepTerms;
      /** Of its agent, or: `link_lost`, `agent_went_otherwise`, `linked_again`, `not_in_time`. */
      readonly code: string;
      readonly detail: string;
    }
  /** Its agent is told that its engines may run after all. */
  | { readonly kind: 'unpark' }
  | { readonly kind: 'cancelled'; readonly terms: SleepTerms; readonly why: string }
  | { readonly kind: 'refused'; readonly event: SleepEvent['kind']; readonly state: SleepState['name'] };

export interface SleepStep {
  readonly state: SleepState;
  readonly effects: readonly SleepEffect[];
}

/** Its agent has stopped or parked its engines and said goodbye within this, beyond the drain, or it says that it could not. */
export const GOING_MS = 200_000;
/** Its link may also end without a word while it goes: a machine that suspends at once may have no time for one. */
const SLEEP_GOODBYES: ReadonlySet<string> = new Set(['suspend', 'shutdown', 'restart']);

/** Whether a goodbye says that the machine goes, and not only its agent. */
export function isMachinesEnd(goodbyeReason: string | null): boolean {
  return goodbyeReason !== null && SLEEP_GOODBYES.has(goodbyeReason);
}

export const AWAKE: SleepState = { name: 'awake' };

/** @param nowMs monotonic */
export function stepSleep(state: SleepState, event: SleepEvent, nowMs: number): SleepStep {
  switch (event.kind) {
    case 'begin':
      return begin(state, event.terms, nowMs);
    case 'cancel':
      return cancel(state, event);
    case 'tick':
      return tick(state, event.requestsInFlight, nowMs);
    case 'answered':
      return answered(state, event, nowMs);
    case 'unlinked':
      return unlinked(state, event.goodbyeReason, nowMs);
    case 'linked':
      return linked(state);
  }
}

function begin(state: SleepState, terms: SleepTerms, nowMs: number): SleepStep {
  if (state.name !== 'awake') return refuse(state, 'begin');
  return {
    state: { name: 'draining', terms, sinceMs: nowMs, deadlineMs: nowMs + terms.drainMs },
    effects: [],
  };
}

/** What a machine was asked to do cannot be taken back: it must first be gone to be woken. */
function cancel(state: SleepState, { why }: Extract<SleepEvent, { kind: 'cancel' }>): SleepStep {
  if ((state.name !== 'draining' && state.name !== 'going') || state.terms.isForced) {
    return refuse(state, 'cancel');
  }
  const { terms } = state;
  const cancelled: SleepEffect = { kind: 'cancelled', terms, why };
  if (state.name === 'draining') return { state: AWAKE, effects: [cancelled] };
  if (terms.action !== 'container-only') return refuse(state, 'cancel');
  return { state: AWAKE, effects: [{ kind: 'unpark' }, cancelled] };
}

function tick(state: SleepState, requestsInFlight: number, nowMs: number): SleepStep {
  if (state.name === 'draining' && (requestsInFlight === 0 || nowMs >= state.deadlineMs)) {
    const { terms } = state;
    // Nobody insists: what runs is worth more than an hour of sleep.
    if (requestsInFlight > 0 && terms.asker === 'idle') {
      const why = `${requestsInFlight} requests did not end within ${Math.round(terms.drainMs / 1000)} s`;
      return { state: AWAKE, effects: [{ kind: 'cancelled', terms, why }] };
    }
    // What outlives the drain here is cut off there: waiting twice would double what was declared.
    const drainMs = Math.ceil(Math.max(0, state.deadlineMs - nowMs));
    return {
      state: { name: 'going', terms, sinceMs: nowMs, deadlineMs: nowMs + drainMs + GOING_MS },
      effects: [{ kind: 'ask', terms, drainMs }],
    };
  }
  if (state.name === 'going' && nowMs >= state.deadlineMs) {
    const detail = `its agent was asked ${Math.round((nowMs - state.sinceMs) / 1000)} s ago, and it is still here`;
    return fail(state.terms, 'not_in_time', detail);
  }
  return { state, effects: [] };
}

function answered(
  state: SleepState,
  { ok, code, detail }: Extract<SleepEvent, { kind: 'answered' }>,
  nowMs: number,
): SleepStep {
  if (state.name !== 'going') return refuse(state, 'answered');
  if (!ok) return fail(state.terms, code, detail);
  // A machine that acts has its link end; where only the card was to be freed, that is done now.
  if (state.terms.action !== 'container-only') return { state, effects: [] };
  return slept(state, nowMs);
}

function unlinked(state: SleepState, goodbyeReason: string | null, nowMs: number): SleepStep {
  switch (state.name) {
    case 'awake':
      return { state, effects: [] };
    case 'draining':
      return fail(
        state.terms,
        'link_lost',
        `its link ended before it was asked (${goodbyeReason ?? 'no goodbye'})`,
      );
    case 'asleep':
      return { state, effects: [] };
    case 'going': {
      const { terms } = state;
      if (terms.action === 'container-only' && isMachinesEnd(goodbyeReason)) {
        return fail(terms, 'link_lost', `its machine went away meanwhile (${goodbyeReason})`);
      }
      // Its agent was asked to park, and does so whatever becomes of its link.
      if (terms.action === 'container-only') return slept(state, nowMs);
      if (goodbyeReason === null || isMachinesEnd(goodbyeReason)) return slept(state, nowMs);
      return fail(terms, 'agent_went_otherwise', `its agent went away otherwise (${goodbyeReason})`);
    }
  }
}

function linked(state: SleepState): SleepStep {
  // A link that only broke: what the engines were asked is known to its agent, and its outcome is sent on the next one.
  if (state.name === 'going' && state.terms.action === 'container-only') return { state, effects: [] };
  if (state.name === 'going') {
    return fail(state.terms, 'linked_again', 'it linked again instead of going to sleep');
  }
  return { state: AWAKE, effects: [] };
}

function slept(state: Extract<SleepState, { name: 'going' }>, nowMs: number): SleepStep {
  const { terms, sinceMs } = state;
  return {
    state: { name: 'asleep', terms, sinceMs: nowMs },
    effects: [{ kind: 'slept', terms, tookMs: nowMs - sinceMs }],
  };
}

/** What its agent could not park in time it goes on parking: it is told that nobody wants that any more. */
function fail(terms: SleepTerms, code: string, detail: string): SleepStep {
  const failed: SleepEffect = { kind: 'failed', terms, code, detail };
  return {
    state: AWAKE,
    effects: terms.action === 'container-only' ? [{ kind: 'unpark' }, failed] : [failed],
  };
}

function refuse(state: SleepState, event: SleepEvent['kind']): SleepStep {
  return { state, effects: [{ kind: 'refused', event, state: state.name }] };
}

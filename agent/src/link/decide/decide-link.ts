import {
  type GoodbyeReason,
  HEARTBEAT_INTERVAL_MS,
  OLDEST_PROTOCOL_VERSION,
  PONG_DEADLINE_MS,
  type ServerFrame,
} from '@ai-fabric/shared';
import type { LinkFailure } from '../link-failure.js';
import type {
  LinkDecision,
  LinkEffect,
  LinkEvent,
  LinkMoment,
  LinkRefusal,
  LinkState,
  LinkTimer,
} from './link-state.js';
import { planRetryMs } from './plan-retry.js';

/** From the open connection to the welcome. The control plane may be busy, but not for this long. */
const PROOF_DEADLINE_MS = 10_000;

/** A link that did not hold this long did not hold: the next waits grow, so that nobody spins. */
export const STABLE_AFTER_MS = 10_000;
/** Whoever was heard so short a time ago is not asked for a sign of life. */
const HEARD_LATELY_MS = HEARTBEAT_INTERVAL_MS / 2;

/** The one place that says what the link does next. */
export function decideLink(state: LinkState, event: LinkEvent, moment: LinkMoment): LinkDecision {
  if (event.type === 'stop') return stop(state, event.reason, event.detail);
  if (event.type === 'start') return start(state);
  if (event.type === 'resumed') return dialAnew(state, moment);
  switch (state.name) {
    case 'connecting':
      return decideConnecting(state, event, moment);
    case 'proving':
      return decideProving(state, event, moment);
    case 'linked':
      return decideLinked(state, event, moment);
    case 'waiting':
      return decideWaiting(state, event);
    case 'stopped':
      // A connection that is being closed still has things to say.
      return refuse(state, event, 'the link was stopped');
    default:
      return state satisfies never;
  }
}

type In<Name extends LinkState['name']> = Extract<LinkState, { name: Name }>;
type Running = Exclude<LinkEvent, { type: 'stop' | 'start' | 'resumed' }>;

function decideConnecting(state: In<'connecting'>, event: Running, moment: LinkMoment): LinkDecision {
  switch (event.type) {
    case 'opened':
      return go({ name: 'proving', attempt: state.attempt, helloSent: false }, [
        { type: 'arm', timer: 'proof', delayMs: PROOF_DEADLINE_MS },
      ]);
    case 'ended':
      return fail(state, event.failure, moment, []);
    default:
      return refuse(state, event, 'there is no connection yet');
  }
}

function decideProving(state: In<'proving'>, event: Running, moment: LinkMoment): LinkDecision {
  switch (event.type) {
    case 'frame':
      return decideProvingFrame(state, event.frame, moment);
    case 'bad_frame':
      return breakOff(state, event.detail, moment);
    case 'sign':
      return go(state, []);
    case 'ended':
      return fail(state, event.failure, moment, []);
    case 'timer':
      if (event.timer !== 'proof')
        return refuse(state, event, `the ${event.timer} timer is not for this state`);
      return fail(state, { code: 'silent', detail: silentDetail(state) }, moment, [{ type: 'terminate' }]);
    case 'opened':
      return refuse(state, event, 'the connection is open already');
    default:
      return event satisfies never;
  }
}

function decideProvingFrame(state: In<'proving'>, frame: ServerFrame, moment: LinkMoment): LinkDecision {
  switch (frame.type) {
    case 'challenge':
      if (state.helloSent) return breakOff(state, 'a second challenge on one link', moment);
      if (frame.body.protocolVersion < OLDEST_PROTOCOL_VERSION) {
        const detail = `The control plane speaks protocol ${frame.body.protocolVersion}; this agent needs ${OLDEST_PROTOCOL_VERSION}. Upgrade the control plane.`;
        return fail(state, { code: 'control_plane_too_old', detail }, moment, [
          { type: 'say_goodbye', reason: 'protocol_too_old', detail },
        ]);
      }
      return go({ ...state, helloSent: true }, [{ type: 'send_hello', nonce: frame.body.nonce }]);
    case 'welcome': {
      if (!state.helloSent) return breakOff(state, 'a welcome before the proof', moment);
      const { hostId, hostName, serverTimeMs } = frame.body;
      return go(
        {
          name: 'linked',
          attempt: state.attempt,
          sinceMs: moment.nowMs,
          hostId,
          hostName,
          awaitingSign: false,
          heardAtMs: moment.nowMs,
        },
        [
          { type: 'disarm', timer: 'proof' },
          { type: 'arm', timer: 'heartbeat', delayMs: HEARTBEAT_INTERVAL_MS },
          { type: 'announce_linked', hostId, hostName, serverTimeMs },
        ],
      );
    }
    case 'goodbye':
      return fail(state, { code: 'goodbye', ...frame.body }, moment, [{ type: 'terminate' }]);
    case 'ack':
    case 'command':
      return breakOff(state, `${article(frame.type)} before the welcome`, moment);
    default:
      return frame satisfies never;
  }
}

function decideLinked(state: In<'linked'>, event: Running, moment: LinkMoment): LinkDecision {
  switch (event.type) {
    case 'frame':
      return decideLinkedFrame(state, event.frame, moment);
    case 'bad_frame':
      return breakOff(state, event.detail, moment);
    case 'sign':
      return go(...heard(state, moment));
    case 'ended':
      return fail(state, event.failure, moment, []);
    case 'timer':
      return decideLinkedTimer(state, event.timer, moment);
    case 'opened':
      return refuse(state, event, 'the connection is open already');
    default:
      return event satisfies never;
  }
}

function decideLinkedTimer(state: In<'linked'>, timer: LinkTimer, moment: LinkMoment): LinkDecision {
  if (timer === 'heartbeat') {
    const next: LinkEffect = { type: 'arm', timer: 'heartbeat', delayMs: HEARTBEAT_INTERVAL_MS };
    // Acknowledgements and the other side's own pings say as much as an answer would, and cost nobody a wake.
    if (!state.awaitingSign && moment.nowMs - state.heardAtMs <= HEARD_LATELY_MS) return go(state, [next]);
    const again: LinkEffect[] = [{ type: 'ping' }, next];
    // The deadline runs from the first ping without an answer: later pings must not push it out.
    if (!state.awaitingSign) again.push({ type: 'arm', timer: 'sign', delayMs: PONG_DEADLINE_MS });
    return go({ ...state, awaitingSign: true }, again);
  }
  if (timer === 'sign' && state.awaitingSign) {
    const detail = `No sign of life from the control plane for ${PONG_DEADLINE_MS / 1000} s: the connection is dead.`;
    return fail(state, { code: 'silent', detail }, moment, [{ type: 'terminate' }]);
  }
  return refuse(state, { type: 'timer', timer }, `the ${timer} timer is not for this state`);
}

function decideLinkedFrame(state: In<'linked'>, frame: ServerFrame, moment: LinkMoment): LinkDecision {
  const [next, effects] = heard(state, moment);
  switch (frame.type) {
    case 'ack':
      return go(next, [...effects, { type: 'deliver_ack', seq: frame.body.seq }]);
    case 'command':
      return go(next, [...effects, { type: 'deliver_command', frame }]);
    case 'goodbye':
      return fail(state, { code: 'goodbye', ...frame.body }, moment, [{ type: 'terminate' }]);
    case 'challenge':
    case 'welcome':
      return breakOff(state, `${article(frame.type)} on a link that stands already`, moment);
    default:
      return frame satisfies never;
  }
}

function decideWaiting(state: In<'waiting'>, event: Running): LinkDecision {
  if (event.type === 'timer' && event.timer === 'retry') {
    return go({ name: 'connecting', attempt: state.attempt }, [{ type: 'dial' }]);
  }
  return refuse(state, event, 'the connection it came from was given up');
}

function stop(state: LinkState, reason: GoodbyeReason, detail: string): LinkDecision {
  switch (state.name) {
    case 'stopped':
      return refuse(state, { type: 'stop', reason, detail }, 'the link was stopped before');
    case 'linked':
    case 'proving':
      return go({ name: 'stopped', reason }, [
        { type: 'disarm_all' },
        { type: 'say_goodbye', reason, detail },
      ]);
    case 'connecting':
    case 'waiting':
      return go({ name: 'stopped', reason }, [{ type: 'disarm_all' }, { type: 'terminate' }]);
    default:
      return state satisfies never;
  }
}

function start(state: LinkState): LinkDecision {
  if (state.name !== 'stopped') return refuse(state, { type: 'start' }, 'the link was not stopped');
  return go({ name: 'connecting', attempt: 0 }, [{ type: 'dial' }]);
}

/** Nobody waits for a deadline of a connection that the other side gave up while the machine slept. */
function dialAnew(state: LinkState, { nowMs }: LinkMoment): LinkDecision {
  const dial: LinkEffect = { type: 'dial' };
  switch (state.name) {
    case 'stopped':
      return refuse(state, { type: 'resumed' }, 'the link was stopped');
    case 'waiting':
      return go({ name: 'connecting', attempt: 0 }, [{ type: 'disarm_all' }, dial]);
    case 'connecting':
    case 'proving':
    case 'linked': {
      const failure: LinkFailure = { code: 'lost', detail: 'The machine slept: the link is dialled anew.' };
      const lostAfterMs = state.name === 'linked' ? nowMs - state.sinceMs : null;
      return go({ name: 'connecting', attempt: 0 }, [
        { type: 'disarm_all' },
        { type: 'terminate' },
        { type: 'announce_down', failure, lostAfterMs, retryMs: 0 },
        dial,
      ]);
    }
    default:
      return state satisfies never;
  }
}

/** The other side breaks the protocol: it is told so, and the link begins anew. */
function breakOff(state: In<'proving' | 'linked'>, what: string, moment: LinkMoment): LinkDecision {
  const detail = `The control plane sent ${what}.`;
  return fail(state, { code: 'protocol_error', detail }, moment, [
    { type: 'say_goodbye', reason: 'protocol_error', detail },
  ]);
}

function fail(
  state: In<'connecting' | 'proving' | 'linked'>,
  failure: LinkFailure,
  moment: LinkMoment,
  effects: readonly LinkEffect[],
): LinkDecision {
  const lostAfterMs = state.name === 'linked' ? moment.nowMs - state.sinceMs : null;
  const attempt = lostAfterMs !== null && lostAfterMs >= STABLE_AFTER_MS ? 0 : state.attempt;
  const retryMs = planRetryMs(failure, attempt, moment.jitter);
  return go({ name: 'waiting', attempt: attempt + 1, failure }, [
    { type: 'disarm_all' },
    ...effects,
    { type: 'arm', timer: 'retry', delayMs: retryMs },
    { type: 'announce_down', failure, lostAfterMs, retryMs },
  ]);
}

function heard(state: In<'linked'>, { nowMs }: LinkMoment): [LinkState, LinkEffect[]] {
  const next = { ...state, awaitingSign: false, heardAtMs: nowMs };
  return [next, state.awaitingSign ? [{ type: 'disarm', timer: 'sign' }] : []];
}

function go(state: LinkState, effects: readonly LinkEffect[]): LinkDecision {
  return { ok: true, state, effects };
}

function refuse(state: LinkState, event: LinkEvent, detail: string): LinkDecision {
  const refusal: LinkRefusal = { code: 'unexpected_event', state: state.name, event: event.type, detail };
  return { ok: false, refusal };
}

function silentDetail(state: In<'proving'>): string {
  const missing = state.helloSent ? 'answer to the proof' : 'challenge';
  return `The control plane sent no ${missing} within ${PROOF_DEADLINE_MS / 1000} s.`;
}

function article(type: ServerFrame['type']): string {
  return type === 'ack' ? 'an ack' : `a ${type}`;
}

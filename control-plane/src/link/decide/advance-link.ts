import { type AgentFrame, type GoodbyeReason, OFFLINE_AFTER_MS } from '@ai-fabric/shared';
import type {
  Contention,
  Hello,
  Identity,
  LinkDecision,
  LinkEffect,
  LinkEvent,
  LinkState,
} from './link-lifecycle.js';
import { HELLO_DEADLINE_MS } from './link-limits.js';

/** The one place that says what a connection does next. @param nowMs monotonic */
export function advanceLink(state: LinkState, event: LinkEvent, nowMs: number): LinkDecision {
  switch (state.name) {
    case 'challenged':
      return advanceChallenged(state, event, nowMs);
    case 'identifying':
      return advanceIdentifying(state, event, nowMs);
    case 'contending':
      return advanceContending(state, event, nowMs);
    case 'linked':
      return advanceLinked(state, event);
    case 'closing':
      return advanceClosing(state, event);
    case 'closed':
      return refuse(state, event);
    default:
      return state satisfies never;
  }
}

type In<Name extends LinkState['name']> = Extract<LinkState, { name: Name }>;

function advanceChallenged(state: In<'challenged'>, event: LinkEvent, nowMs: number): LinkDecision {
  switch (event.type) {
    case 'frame':
      if (event.frame.type === 'hello') {
        const hello = event.frame.body;
        return go({ name: 'identifying', hello }, [{ type: 'identify', hello }]);
      }
      if (event.frame.type === 'goodbye') return leave(event.frame.body.reason);
      return fail('protocol_error', `${article(event.frame.type)} before the hello.`);
    case 'bad_frame':
      return fail('protocol_error', `No hello: ${event.refusal.detail}.`);
    case 'tick':
      if (nowMs - state.sinceMs < HELLO_DEADLINE_MS) return go(state, []);
      return fail('hello_timeout', `No hello within ${HELLO_DEADLINE_MS / 1_000} s.`);
    case 'evict':
      return dismiss(event.reason, event.detail);
    case 'socket_closed':
      return go({ name: 'closed' }, []);
    default:
      return refuse(state, event);
  }
}

function advanceIdentifying(state: In<'identifying'>, event: LinkEvent, nowMs: number): LinkDecision {
  switch (event.type) {
    case 'identified':
      return identified(state.hello, event.identity, event.contention, nowMs);
    case 'refused':
      // That the registry cannot answer is not the peer's fault.
      if (event.reason === 'unavailable') return dismiss(event.reason, event.detail);
      return fail(event.reason, event.detail);
    case 'evict':
      return dismiss(event.reason, event.detail);
    case 'socket_closed':
      return go({ name: 'closed' }, []);
    default:
      return refuse(state, event);
  }
}

function identified(hello: Hello, identity: Identity, contention: Contention, nowMs: number): LinkDecision {
  switch (contention) {
    case 'free':
    case 'take_over':
      return admit(hello, identity, nowMs);
    case 'contested':
      return go({ name: 'contending', hello, identity }, [{ type: 'contend', hello, identity }]);
    default:
      return contention satisfies never;
  }
}

function advanceContending(state: In<'contending'>, event: LinkEvent, nowMs: number): LinkDecision {
  switch (event.type) {
    case 'won':
      return admit(state.hello, state.identity, nowMs);
    case 'frame':
      if (event.frame.type === 'goodbye') return leave(event.frame.body.reason);
      return fail('protocol_error', `${article(event.frame.type)} before the welcome.`);
    case 'bad_frame':
      return fail('protocol_error', `Before the welcome: ${event.refusal.detail}.`);
    case 'tick':
      return go(state, []);
    case 'refused':
    case 'evict':
      return dismiss(event.reason, event.detail);
    case 'socket_closed':
      return go({ name: 'closed' }, []);
    default:
      return refuse(state, event);
  }
}

function advanceLinked(state: In<'linked'>, event: LinkEvent): LinkDecision {
  switch (event.type) {
    case 'frame':
      return advanceLinkedFrame(state, event.frame);
    case 'bad_frame':
      return part(state, 'protocol_error', `A frame was refused: ${event.refusal.detail}.`);
    case 'tick':
      if (event.silentForMs < OFFLINE_AFTER_MS) return go(state, []);
      return part(state, 'heartbeat_lost', `Nothing was heard for ${OFFLINE_AFTER_MS / 1_000} s.`);
    case 'evict':
      return part(state, event.reason, event.detail);
    case 'socket_closed':
      return go({ name: 'closed' }, [release(state, { final: false })]);
    default:
      return refuse(state, event);
  }
}

function advanceLinkedFrame(state: In<'linked'>, frame: AgentFrame): LinkDecision {
  switch (frame.type) {
    case 'report':
      if (frame.body.seq <= state.seq) {
        return part(state, 'protocol_error', `Report ${frame.body.seq} came after report ${state.seq}.`);
      }
      return go({ ...state, seq: frame.body.seq }, [{ type: 'take_report', frame }]);
    case 'outcome':
      return go(state, [{ type: 'take_outcome', outcome: frame.body }]);
    case 'goodbye': {
      const reason = frame.body.reason;
      return go({ name: 'closing', reason }, [
        release(state, { final: goesForLong(reason), goodbyeReason: reason }),
        { type: 'close' },
      ]);
    }
    case 'hello':
      return part(state, 'protocol_error', 'A second hello on one link.');
    default:
      return frame satisfies never;
  }
}

function advanceClosing(state: In<'closing'>, event: LinkEvent): LinkDecision {
  switch (event.type) {
    case 'socket_closed':
      return go({ name: 'closed' }, []);
    // What was under way when it was told to go.
    case 'frame':
    case 'bad_frame':
    case 'tick':
    case 'evict':
      return go(state, []);
    default:
      return refuse(state, event);
  }
}

/** An agent that restarts is back within seconds; the others are gone until somebody starts them again. */
function goesForLong(reason: GoodbyeReason): boolean {
  return reason === 'shutdown' || reason === 'suspend' || reason === 'service_stop' || reason === 'joined';
}

function admit(hello: Hello, identity: Identity, nowMs: number): LinkDecision {
  return go({ name: 'linked', identity, instanceId: hello.instanceId, sinceMs: nowMs, seq: 0 }, [
    { type: 'admit', hello, identity },
  ]);
}

/** Ends a connection that never became a link, to its own fault. */
function fail(reason: GoodbyeReason, detail: string): LinkDecision {
  return go({ name: 'closing', reason }, [
    { type: 'note_failure', reason, detail },
    { type: 'say_goodbye', reason, detail },
  ]);
}

/** Ends a connection that never became a link, through no fault of its own. */
function dismiss(reason: GoodbyeReason, detail: string): LinkDecision {
  return go({ name: 'closing', reason }, [{ type: 'say_goodbye', reason, detail }]);
}

/** It changed its mind before it was welcome. */
function leave(reason: GoodbyeReason): LinkDecision {
  return go({ name: 'closing', reason }, [{ type: 'close' }]);
}

/** What ends a link so that its host is away at once: whoever is evicted for another reason is back within seconds. */
const AWAY_FROM_NOW: ReadonlySet<GoodbyeReason> = new Set(['heartbeat_lost', 'revoked', 'unknown_host']);

/** Ends a link. */
function part(state: In<'linked'>, reason: GoodbyeReason, detail: string): LinkDecision {
  const effects: LinkEffect[] = [
    release(state, { final: AWAY_FROM_NOW.has(reason), endedFor: reason, detail }),
    { type: 'say_goodbye', reason, detail },
  ];
  return go({ name: 'closing', reason }, effects);
}

type Release = Extract<LinkEffect, { type: 'release' }>;

function release(state: In<'linked'>, how: { final: boolean } & Partial<Release>): Release {
  return {
    type: 'release',
    hostName: state.identity.hostName,
    goodbyeReason: null,
    endedFor: null,
    detail: '',
    ...how,
  };
}

function go(state: LinkState, effects: readonly LinkEffect[]): LinkDecision {
  return { ok: true, state, effects };
}

function refuse(state: LinkState, event: LinkEvent): LinkDecision {
  return { ok: false, refusal: { code: 'unexpected_event', state: state.name, event: event.type } };
}

function article(type: AgentFrame['type']): string {
  return type === 'outcome' ? 'An outcome' : `A ${type}`;
}

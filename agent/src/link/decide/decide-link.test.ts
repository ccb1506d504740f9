import { goodbyeReasonSchema, needsOperator, type ServerFrame } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideLink } from './decide-link.js';
import type { LinkDecision, LinkEvent, LinkState } from './link-state.js';

const connecting: LinkState = { name: 'connecting', attempt: 2 };
const proving: LinkState = { name: 'proving', attempt: 2, helloSent: false };
const proven: LinkState = { name: 'proving', attempt: 2, helloSent: true };
const linked: LinkState = {
  name: 'linked',
  attempt: 2,
  sinceMs: 1_000,
  hostId: 'h1',
  hostName: 'armitage',
  awaitingSign: false,
  heardAtMs: Number.NEGATIVE_INFINITY,
};
const awaiting: LinkState = { ...linked, awaitingSign: true };
const failure = { code: 'lost', detail: 'gone' } as const;
const waiting: LinkState = { name: 'waiting', attempt: 3, failure };
const stopped: LinkState = { name: 'stopped', reason: 'service_stop' };
const states = { connecting, proving, proven, linked, awaiting, waiting, stopped };

function frame<Type extends ServerFrame['type']>(
  type: Type,
  body: Extract<ServerFrame, { type: Type }>['body'],
): LinkEvent {
  return { type: 'frame', frame: { id: 's1', sentAtMs: 0, type, body } as ServerFrame };
}
const challenge = frame('challenge', { nonce: 'bm9uY2Vub25jZW5vbmNl', protocolVersion: 1 });
const welcome = frame('welcome', { hostId: 'h1', hostName: 'armitage', protocolVersion: 1, serverTimeMs: 5 });
const ack = frame('ack', { seq: 7 });
const command = frame('command', {
  commandId: 'c1',
  ttlMs: 1_000,
  command: { name: 'apply_desired', revision: 1, replicas: [] },
});
const goodbye = frame('goodbye', { reason: 'restart', detail: 'back soon' });
const events = {
  opened: { type: 'opened' },
  challenge,
  welcome,
  ack,
  command,
  goodbye,
  badFrame: { type: 'bad_frame', detail: 'a frame that is not JSON' },
  sign: { type: 'sign' },
  ended: { type: 'ended', failure },
  proofTimer: { type: 'timer', timer: 'proof' },
  heartbeatTimer: { type: 'timer', timer: 'heartbeat' },
  signTimer: { type: 'timer', timer: 'sign' },
  retryTimer: { type: 'timer', timer: 'retry' },
  resumed: { type: 'resumed' },
  start: { type: 'start' },
  stop: { type: 'stop', reason: 'service_stop', detail: 'told to stop' },
} satisfies Record<string, LinkEvent>;

const moment = { nowMs: 5_000, jitter: 0.5 };

function outcome(decision: LinkDecision): string {
  return decision.ok ? decision.state.name : 'refused';
}

function decided(state: LinkState, event: LinkEvent, at = moment): Extract<LinkDecision, { ok: true }> {
  const decision = decideLink(state, event, at);
  if (!decision.ok) throw new Error(`refused: ${decision.refusal.detail}`);
  return decision;
}

/** Every state against every event: where each pair leads. */
const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  connecting: { opened: 'proving', ended: 'waiting', resumed: 'connecting', stop: 'stopped' },
  proving: {
    challenge: 'proving',
    welcome: 'waiting',
    ack: 'waiting',
    command: 'waiting',
    goodbye: 'waiting',
    badFrame: 'waiting',
    sign: 'proving',
    ended: 'waiting',
    proofTimer: 'waiting',
    resumed: 'connecting',
    stop: 'stopped',
  },
  proven: {
    challenge: 'waiting',
    welcome: 'linked',
    ack: 'waiting',
    command: 'waiting',
    goodbye: 'waiting',
    badFrame: 'waiting',
    sign: 'proving',
    ended: 'waiting',
    proofTimer: 'waiting',
    resumed: 'connecting',
    stop: 'stopped',
  },
  linked: {
    challenge: 'waiting',
    welcome: 'waiting',
    ack: 'linked',
    command: 'linked',
    goodbye: 'waiting',
    badFrame: 'waiting',
    sign: 'linked',
    ended: 'waiting',
    heartbeatTimer: 'linked',
    resumed: 'connecting',
    stop: 'stopped',
  },
  awaiting: {
    challenge: 'waiting',
    welcome: 'waiting',
    ack: 'linked',
    command: 'linked',
    goodbye: 'waiting',
    badFrame: 'waiting',
    sign: 'linked',
    ended: 'waiting',
    heartbeatTimer: 'linked',
    signTimer: 'waiting',
    resumed: 'connecting',
    stop: 'stopped',
  },
  waiting: { retryTimer: 'connecting', resumed: 'connecting', stop: 'stopped' },
  stopped: { start: 'connecting' },
};

describe('every state meets every event', () => {
  for (const [stateName, state] of Object.entries(states)) {
    for (const [eventName, event] of Object.entries(events)) {
      const expected = table[stateName as keyof typeof states][eventName as keyof typeof events] ?? 'refused';
      test(`${stateName} on ${eventName}: ${expected}`, () => {
        expect(outcome(decideLink(state, event, moment))).toBe(expected);
      });
    }
  }
});

describe('a machine that slept', () => {
  test('leaves an old connection without waiting for it to end, and dials', () => {
    const { effects } = decided(linked, events.resumed);
    expect(effects.map(({ type }) => type)).toEqual(['disarm_all', 'terminate', 'announce_down', 'dial']);
    expect(effects[2]).toMatchObject({ lostAfterMs: 4_000, retryMs: 0 });
  });

  test('waits for no retry, and begins to count anew', () => {
    const { state, effects } = decided(waiting, events.resumed);
    expect(state).toEqual({ name: 'connecting', attempt: 0 });
    expect(effects).toEqual([{ type: 'disarm_all' }, { type: 'dial' }]);
  });

  test('dials after its goodbye', () => {
    expect(decided(stopped, events.start).effects).toEqual([{ type: 'dial' }]);
  });
});

describe('the proof', () => {
  test('answers the challenge with its nonce, once', () => {
    const { state, effects } = decided(proving, challenge);
    expect(effects).toEqual([{ type: 'send_hello', nonce: 'bm9uY2Vub25jZW5vbmNl' }]);
    expect(state).toEqual(proven);
  });

  test('has a deadline from the open connection on', () => {
    expect(decided(connecting, { type: 'opened' }).effects).toEqual([
      { type: 'arm', timer: 'proof', delayMs: 10_000 },
    ]);
    const late = decided(proven, { type: 'timer', timer: 'proof' });
    expect(late.effects[1]).toEqual({ type: 'terminate' });
    expect(late.state).toMatchObject({
      failure: { code: 'silent', detail: expect.stringContaining('no answer to the proof') },
    });
  });

  test('a welcome starts the heartbeat and is announced', () => {
    const { state, effects } = decided(proven, welcome);
    expect(state).toEqual({ ...linked, sinceMs: 5_000, heardAtMs: 5_000 });
    expect(effects).toEqual([
      { type: 'disarm', timer: 'proof' },
      { type: 'arm', timer: 'heartbeat', delayMs: 5_000 },
      { type: 'announce_linked', hostId: 'h1', hostName: 'armitage', serverTimeMs: 5 },
    ]);
  });

  test('a control plane that is too old is told so, and called that: it is not the agent that has to be newer', () => {
    const { state, effects } = decided(proving, frame('challenge', { nonce: 'bm9uY2U', protocolVersion: 0 }));
    expect(effects).toContainEqual(
      expect.objectContaining({ type: 'say_goodbye', reason: 'protocol_too_old' }),
    );
    expect(effects).not.toContainEqual(expect.objectContaining({ type: 'send_hello' }));
    expect(state).toMatchObject({
      name: 'waiting',
      failure: {
        code: 'control_plane_too_old',
        detail: expect.stringContaining('Upgrade the control plane.'),
      },
    });
    // Trying again soon cannot help: a person has to act.
    expect(effects).toContainEqual(expect.objectContaining({ type: 'arm', timer: 'retry', delayMs: 60_000 }));
  });

  test('commands before the welcome are not obeyed: a relay could have put them there', () => {
    const { effects } = decided(proven, command);
    expect(effects).not.toContainEqual(expect.objectContaining({ type: 'deliver_command' }));
    expect(effects).toContainEqual(
      expect.objectContaining({ type: 'say_goodbye', reason: 'protocol_error' }),
    );
  });
});

describe('the heartbeat', () => {
  test('the deadline runs from the first ping without an answer and later pings do not push it out', () => {
    const first = decided(linked, { type: 'timer', timer: 'heartbeat' });
    expect(first.effects).toContainEqual({ type: 'arm', timer: 'sign', delayMs: 6_000 });
    const second = decided(first.state, { type: 'timer', timer: 'heartbeat' });
    expect(second.effects).toEqual([{ type: 'ping' }, { type: 'arm', timer: 'heartbeat', delayMs: 5_000 }]);
  });

  test.each([
    ['a pong', events.sign],
    ['an ack', ack],
    ['a command', command],
  ])('%s is a sign of life', (_what, event) => {
    const { state, effects } = decided(awaiting, event);
    expect(state).toEqual({ ...linked, heardAtMs: moment.nowMs });
    expect(effects).toContainEqual({ type: 'disarm', timer: 'sign' });
  });

  test('whoever was heard a moment ago is not pinged, and whoever was not is', () => {
    const heard = decided(linked, ack).state;
    const at = (afterMs: number) =>
      decided(heard, { type: 'timer', timer: 'heartbeat' }, { ...moment, nowMs: moment.nowMs + afterMs });
    expect(at(2_500).effects).toEqual([{ type: 'arm', timer: 'heartbeat', delayMs: 5_000 }]);
    expect(at(2_501).effects).toContainEqual({ type: 'ping' });
    // A pong that is waited for is not taken as given.
    const asked = decided(awaiting, { type: 'timer', timer: 'heartbeat' });
    expect(asked.effects).toContainEqual({ type: 'ping' });
  });

  test('without a sign the plug is pulled: nobody is there to say goodbye to', () => {
    const { state, effects } = decided(awaiting, { type: 'timer', timer: 'sign' });
    expect(effects.map(({ type }) => type)).toEqual(['disarm_all', 'terminate', 'arm', 'announce_down']);
    expect(state).toMatchObject({ name: 'waiting', failure: { code: 'silent' } });
  });
});

describe('the next attempt', () => {
  const retryOf = (decision: LinkDecision): number => {
    const arm = decision.ok ? decision.effects.find((effect) => effect.type === 'arm') : undefined;
    if (arm?.type !== 'arm') throw new Error('no retry was armed');
    return arm.delayMs;
  };

  test('a link that held starts the waits anew', () => {
    const { state } = decided(linked, events.ended, { nowMs: 11_000, jitter: 0 });
    expect(state).toMatchObject({ name: 'waiting', attempt: 1 });
  });

  test('a link that did not hold lets them grow: two sides that part at once must not spin', () => {
    const { state } = decided(linked, events.ended, { nowMs: 10_999, jitter: 0 });
    expect(state).toMatchObject({ name: 'waiting', attempt: 3 });
  });

  test.each(goodbyeReasonSchema.options)('after "%s" it waits as long as the reason asks for', (reason) => {
    const bye = frame('goodbye', { reason, detail: 'why' });
    for (const jitter of [0, 0.5, 0.999]) {
      const waitMs = retryOf(decideLink(linked, bye, { nowMs: 60_000, jitter }));
      if (needsOperator(reason)) {
        expect(waitMs).toBeGreaterThanOrEqual(54_000);
        expect(waitMs).toBeLessThanOrEqual(66_000);
      } else if (reason === 'rate_limited') expect(waitMs).toBeGreaterThanOrEqual(15_000);
      else expect(waitMs).toBeLessThanOrEqual(5_000);
    }
  });

  test('a wrong certificate waits for the operator', () => {
    const ended: LinkEvent = { type: 'ended', failure: { code: 'pin_mismatch', detail: 'another' } };
    expect(retryOf(decideLink(connecting, ended, moment))).toBe(60_000);
  });

  test('however long it fails, it never waits for more than five seconds while nobody is needed', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 0.9999, noNaN: true }), (attempt, jitter) => {
        const waitMs = retryOf(
          decideLink({ name: 'connecting', attempt }, events.ended, { nowMs: 0, jitter }),
        );
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(5_000);
      }),
    );
  });

  test('it dials when the wait is over', () => {
    expect(decided(waiting, { type: 'timer', timer: 'retry' })).toEqual({
      ok: true,
      state: { name: 'connecting', attempt: 3 },
      effects: [{ type: 'dial' }],
    });
  });
});

describe('stopping', () => {
  test.each([
    ['proving', proving],
    ['linked', linked],
  ])('says goodbye while %s', (_name, state) => {
    expect(decided(state, events.stop).effects).toEqual([
      { type: 'disarm_all' },
      { type: 'say_goodbye', reason: 'service_stop', detail: 'told to stop' },
    ]);
  });

  test.each([
    ['connecting', connecting],
    ['waiting', waiting],
  ])('just ends while %s', (_name, state) => {
    expect(decided(state, events.stop).effects).toEqual([{ type: 'disarm_all' }, { type: 'terminate' }]);
  });
});

test('no run of events leaves two timers of a state behind, a stopped link alive, or an effect without a link', () => {
  const names = Object.keys(events) as (keyof typeof events)[];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { maxLength: 60 }), (run) => {
      let state: LinkState = { name: 'connecting', attempt: 0 };
      const armed = new Set<string>();
      for (const [at, name] of run.entries()) {
        const decision = decideLink(state, events[name], { nowMs: at * 700, jitter: 0.3 });
        if (!decision.ok) {
          expect(decision.refusal).toMatchObject({ code: 'unexpected_event', state: state.name });
          continue;
        }
        if (state.name === 'stopped' && name !== 'start') throw new Error('a stopped link moved');
        const linkedBefore = state.name === 'linked';
        for (const effect of decision.effects) {
          if (effect.type === 'arm') armed.add(effect.timer);
          if (effect.type === 'disarm') armed.delete(effect.timer);
          if (effect.type === 'disarm_all') armed.clear();
          if (effect.type === 'deliver_command' || effect.type === 'ping') expect(linkedBefore).toBe(true);
        }
        if (events[name].type === 'timer') armed.delete((events[name] as { timer: string }).timer);
        state = decision.state;
        const allowed = {
          connecting: [],
          proving: ['proof'],
          linked: ['heartbeat', 'sign'],
          waiting: ['retry'],
          stopped: [],
        };
        for (const timer of armed) if (state.name !== 'linked') expect(allowed[state.name]).toContain(timer);
      }
    }),
  );
});

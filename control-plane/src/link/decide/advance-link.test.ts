import { type AgentFrame, OFFLINE_AFTER_MS } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceLink } from './advance-link.js';
import type { Hello, Identity, LinkEvent, LinkState } from './link-lifecycle.js';

const identity: Identity = { hostId: 'h1', hostName: 'motoko', draining: false };
const hello: Hello = {
  protocolVersion: 1,
  agentVersion: '0.1.0',
  publicKey: 'k',
  proof: 'p',
  hostName: 'motoko',
  machineSha256: 'ab'.repeat(32),
  bootId: 'b',
  instanceId: 'i1',
};

const frames: Record<AgentFrame['type'], AgentFrame> = {
  hello: { id: '1', type: 'hello', sentAtMs: 1, body: hello },
  report: { id: '1', type: 'report', sentAtMs: 1, body: { seq: 5 } },
  outcome: {
    id: '1',
    type: 'outcome',
    sentAtMs: 1,
    body: { commandId: 'c', result: 'done', code: null, detail: null },
  },
  goodbye: { id: '1', type: 'goodbye', sentAtMs: 1, body: { reason: 'suspend', detail: '' } },
};

const states: Record<LinkState['name'], LinkState> = {
  challenged: { name: 'challenged', sinceMs: 0 },
  identifying: { name: 'identifying', hello },
  contending: { name: 'contending', hello, identity },
  linked: { name: 'linked', identity, instanceId: 'i1', sinceMs: 0, seq: 4 },
  closing: { name: 'closing', reason: 'superseded' },
  closed: { name: 'closed' },
};

const frame = (type: AgentFrame['type']): LinkEvent => ({ type: 'frame', frame: frames[type] });
const badFrame: LinkEvent = {
  type: 'bad_frame',
  refusal: { code: 'not_json', detail: 'a frame that is not JSON' },
};
const evict: LinkEvent = { type: 'evict', reason: 'slow_consumer', detail: 'slow' };
const closed: LinkEvent = { type: 'socket_closed' };
const tick = (silentForMs: number): LinkEvent => ({ type: 'tick', silentForMs });
const identified = (contention: 'free' | 'take_over' | 'contested'): LinkEvent => ({
  type: 'identified',
  identity,
  contention,
});
const refused = (reason: 'proof_failed' | 'unavailable' | 'identity_in_use'): LinkEvent => ({
  type: 'refused',
  reason,
  detail: 'no',
});

/** What follows, in short: the next state, its reason, and the effects by name. */
function follows(from: LinkState['name'], event: LinkEvent, nowMs = 0): string {
  const decision = advanceLink(states[from], event, nowMs);
  if (!decision.ok) return `refused: ${decision.refusal.event} in ${decision.refusal.state}`;
  const reason = decision.state.name === 'closing' ? ` (${decision.state.reason})` : '';
  return [decision.state.name + reason, ...decision.effects.map(({ type }) => type)].join(', ');
}

describe('a connection that was challenged', () => {
  it.each([
    ['a hello is identified', frame('hello'), 0, 'identifying, identify'],
    ['a report comes too soon', frame('report'), 0, 'closing (protocol_error), note_failure, say_goodbye'],
    ['an outcome comes too soon', frame('outcome'), 0, 'closing (protocol_error), note_failure, say_goodbye'],
    ['a goodbye is no failure', frame('goodbye'), 0, 'closing (suspend), close'],
    ['a bad frame is one', badFrame, 0, 'closing (protocol_error), note_failure, say_goodbye'],
    ['4.9 s may pass', tick(0), 4_999, 'challenged'],
    ['5 s may not', tick(0), 5_000, 'closing (hello_timeout), note_failure, say_goodbye'],
    ['being told to go is no failure', evict, 0, 'closing (slow_consumer), say_goodbye'],
    ['its end is the end', closed, 0, 'closed'],
  ] as const)('%s', (_, event, nowMs, expected) => {
    expect(follows('challenged', event, nowMs)).toBe(expected);
  });
});

describe('a connection that is being identified', () => {
  it.each([
    ['is linked where nothing is in its way', identified('free'), 'linked, admit'],
    ['is linked where it replaces its own old link', identified('take_over'), 'linked, admit'],
    ['waits where somebody else is linked', identified('contested'), 'contending, contend'],
    [
      'is refused, to its own fault',
      refused('proof_failed'),
      'closing (proof_failed), note_failure, say_goodbye',
    ],
    ['is put off when the registry is busy', refused('unavailable'), 'closing (unavailable), say_goodbye'],
    ['may be told to go', evict, 'closing (slow_consumer), say_goodbye'],
    ['may end', closed, 'closed'],
  ] as const)('%s', (_, event, expected) => {
    expect(follows('identifying', event)).toBe(expected);
  });
});

describe('a connection that contends', () => {
  it.each([
    ['is linked when the other was silent', { type: 'won' } as LinkEvent, 'linked, admit'],
    [
      'is refused when it was not, at no cost to its address',
      refused('identity_in_use'),
      'closing (identity_in_use), say_goodbye',
    ],
    ['may leave', frame('goodbye'), 'closing (suspend), close'],
    ['must wait for the welcome', frame('report'), 'closing (protocol_error), note_failure, say_goodbye'],
    ['must not send what is no frame', badFrame, 'closing (protocol_error), note_failure, say_goodbye'],
    ['waits as long as it takes', tick(1e9), 'contending'],
    ['may be told to go', evict, 'closing (slow_consumer), say_goodbye'],
    ['may end', closed, 'closed'],
  ] as const)('%s', (_, event, expected) => {
    expect(follows('contending', event)).toBe(expected);
  });
});

describe('a link', () => {
  it.each([
    ['takes reports', frame('report'), 'linked, take_report'],
    ['takes outcomes', frame('outcome'), 'linked, take_outcome'],
    ['takes no second hello', frame('hello'), 'closing (protocol_error), release, say_goodbye'],
    ['ends with a goodbye', frame('goodbye'), 'closing (suspend), release, close'],
    ['ends with a bad frame', badFrame, 'closing (protocol_error), release, say_goodbye'],
    ['bears silence', tick(OFFLINE_AFTER_MS - 1), 'linked'],
    ['bears 30 s of it, no more', tick(OFFLINE_AFTER_MS), 'closing (heartbeat_lost), release, say_goodbye'],
    ['may be told to go', evict, 'closing (slow_consumer), release, say_goodbye'],
    ['may end', closed, 'closed, release'],
  ] as const)('%s', (_, event, expected) => {
    expect(follows('linked', event)).toBe(expected);
  });

  it('takes each report once, in order', () => {
    const first = advanceLink(states.linked, frame('report'), 0);
    expect(first).toMatchObject({ ok: true, state: { seq: 5 } });
    if (!first.ok) return;
    const again = advanceLink(first.state, frame('report'), 0);
    expect(again).toMatchObject({ state: { name: 'closing', reason: 'protocol_error' } });
  });

  it.each([
    ['shutdown', true],
    ['suspend', true],
    ['service_stop', true],
    ['joined', true],
    ['restart', false],
    ['protocol_error', false],
  ] as const)('with the goodbye "%s" leaves its host away: %s', (reason, final) => {
    const goodbye: LinkEvent = {
      type: 'frame',
      frame: { id: '1', type: 'goodbye', sentAtMs: 1, body: { reason, detail: '' } },
    };
    const decision = advanceLink(states.linked, goodbye, 0);
    expect(decision).toMatchObject({ effects: [{ type: 'release', final, goodbyeReason: reason }, {}] });
  });

  it('leaves its host away when it fell silent, and where it stands when the network broke it', () => {
    expect(advanceLink(states.linked, tick(OFFLINE_AFTER_MS), 0)).toMatchObject({
      effects: [{ type: 'release', final: true, goodbyeReason: null, endedFor: 'heartbeat_lost' }, {}],
    });
    expect(advanceLink(states.linked, closed, 0)).toMatchObject({
      effects: [{ type: 'release', final: false, goodbyeReason: null, endedFor: null }],
    });
  });
});

describe('a connection that is closing', () => {
  it.each([frame('hello'), frame('report'), frame('goodbye'), badFrame, tick(1e9), evict])(
    'lets what was under way pass (%#)',
    (event) => {
      expect(follows('closing', event)).toBe('closing (superseded)');
    },
  );
});

describe('every pair of state and event', () => {
  const events: LinkEvent[] = [
    frame('hello'),
    frame('report'),
    frame('outcome'),
    frame('goodbye'),
    badFrame,
    identified('free'),
    identified('contested'),
    refused('proof_failed'),
    { type: 'won' },
    tick(0),
    evict,
    closed,
  ];

  it('is decided or refused by name', () => {
    const refusals = Object.values(states).flatMap((state) =>
      events.flatMap((event) => {
        const decision = advanceLink(state, event, 0);
        return decision.ok ? [] : [`${state.name} ${event.type}`];
      }),
    );
    expect([...new Set(refusals)]).toEqual([
      'challenged identified',
      'challenged refused',
      'challenged won',
      'identifying frame',
      'identifying bad_frame',
      'identifying won',
      'identifying tick',
      'contending identified',
      'linked identified',
      'linked refused',
      'linked won',
      'closing identified',
      'closing refused',
      'closing won',
      'closed frame',
      'closed bad_frame',
      'closed identified',
      'closed refused',
      'closed won',
      'closed tick',
      'closed evict',
      'closed socket_closed',
    ]);
  });

  it('admits once at most, releases once for each admission, and says goodbye once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (sequence) => {
        let state: LinkState = states.challenged;
        const counts = { admit: 0, release: 0, say_goodbye: 0, close: 0 };
        for (const event of [...sequence, closed]) {
          const decision = advanceLink(state, event, 0);
          if (!decision.ok) continue;
          state = decision.state;
          for (const { type } of decision.effects) {
            if (type in counts) counts[type as keyof typeof counts] += 1;
          }
        }
        expect(state.name).toBe('closed');
        expect(counts.admit).toBeLessThanOrEqual(1);
        expect(counts.release).toBe(counts.admit);
        expect(counts.say_goodbye + counts.close).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { describeFlight } from './describe-flight.js';
import { explainFailure, type FailureFacts } from './explain-failure.js';
import { type FlightState, newFlight } from './step-flight.js';
import { usualTimes } from './usual-times.js';

const usual = usualTimes([
  {
    phases: { packet_sent: 5, answers: 12_000, agent_back: 31_000, engine_up: 36_000, model_ready: 45_000 },
    readyAt: { deep: 45_000 },
  },
]);
const nothing = usualTimes([]);

function flight(reached: FlightState['reached'], name: FlightState['name'] = 'calling'): FlightState {
  return { ...newFlight(['deep']), name, reached };
}

describe('where a wake is', () => {
  it.each([
    ['nothing yet', flight({}), nothing, 135, 0, 'waking; model ready in about 135 s'],
    [
      'packets',
      flight({ packet_sent: 2 }),
      usual,
      45,
      10_000,
      'packets sent; agent back in about 21 s; model ready in about 35 s',
    ],
    [
      'an answer',
      flight({ answers: 14_000 }),
      usual,
      45,
      20_000,
      'the machine answers after 14 s; agent back in about 11 s; model ready in about 25 s',
    ],
    [
      'a late agent',
      flight({ agent_back: 34_000 }, 'starting'),
      usual,
      45,
      34_000,
      'agent back after 34 s, usually 31 s; model ready in about 14 s',
    ],
    [
      'an early engine',
      flight({ agent_back: 20_000, engine_up: 25_000 }, 'starting'),
      usual,
      45,
      25_000,
      'engine up after 25 s, usually 36 s; model ready in about 9 s',
    ],
    [
      'overdue',
      flight({ packet_sent: 2 }),
      usual,
      45,
      70_000,
      'packets sent; agent usually back after 31 s; model ready in about 53 s',
    ],
    [
      'a slow load',
      flight({ agent_back: 31_000, engine_up: 36_000 }, 'starting'),
      usual,
      45,
      75_000,
      'engine up after 36 s, usually 36 s; model ready later than usual, perhaps in 30 s',
    ],
    ['no model', flight({ packet_sent: 2 }), nothing, null, 3_000, 'packets sent'],
    [
      'an end',
      flight({ agent_back: 30_000, model_ready: 44_000 }, 'ended'),
      usual,
      45,
      44_000,
      'model ready after 44 s, usually 45 s',
    ],
  ] as const)('is told: %s', (_, state, times, seconds, atMs, text) => {
    const ready = seconds === null ? null : { p50Ms: seconds * 1000, p95Ms: seconds * 1000 };
    expect(describeFlight(state, times, ready, atMs)).toBe(text);
  });
});

describe('a wake that failed', () => {
  const facts: FailureFacts = {
    host: 'wintermute',
    state: newFlight(['deep']),
    end: { outcome: 'failed', phase: 'answers', code: 'timeout', detail: 'not within 300 s' },
    fromState: 'suspend',
    wakeability: { kind: 'yes', proven: true },
    addresses: ['192.168.1.20'],
    fastStartup: false,
    issues: [],
  };
  const at = (phase: FailureFacts['end']['phase']) => ({ ...facts.end, phase });
  const disarmed = { kind: 'no', reason: 'wake_disarmed', detail: 'wake is off at eth0' } as const;

  it.each<[Partial<FailureFacts>, string]>([
    [{}, 'wintermute: nothing was heard of it: not within 300 s'],
    [{ wakeability: { kind: 'yes', proven: false } }, '(its wake was never proven from this state)'],
    [{ wakeability: disarmed }, '(wake is off at eth0)'],
    [{ fromState: 'unknown' }, '(it vanished without a word: is it without power, or elsewhere?)'],
    [
      { fromState: 'unknown', fastStartup: true },
      '(it vanished without a word: was it shut down with Fast Startup, which no packet ends, or is it without power?)',
    ],
    [{ fromState: 'poweroff' }, '(it was shut down: its firmware must allow a wake from power-off)'],
    [{ state: { ...facts.state, notes: ['relay motoko: no route'] } }, '(relay motoko: no route)'],
    [{ end: at('packet_sent'), fromState: 'unknown' }, 'wintermute: no packet left: not within 300 s'],
    [{ end: at('agent_back') }, "it answers at 192.168.1.20: is its agent's service set to start by itself?"],
    [{ end: at('agent_back'), addresses: [] }, "(is its agent's service set to start by itself?)"],
    [
      { end: at('engine_up'), issues: ['Docker is not there'] },
      'its engine did not come up: not within 300 s (Docker is not there)',
    ],
    [{ end: at('model_ready'), issues: ['the card is gone', 'b', 'c', 'd'] }, '(the card is gone; b; c)'],
  ])('says at which phase, and what may explain it: %j', (more, told) => {
    expect(explainFailure({ ...facts, ...more })).toContain(told);
  });

  it('is told in five hundred characters', () => {
    const issues = Array.from({ length: 9 }, () => 'x'.repeat(400));
    expect(explainFailure({ ...facts, end: at('engine_up'), issues }).length).toBeLessThanOrEqual(500);
  });
});

import { describe, expect, it } from 'vitest';
import { expectReady } from './expect-ready.js';
import { type FlightState, newFlight } from './step-flight.js';
import { type PastWake, type ReadyTimes, readyTimes, usualTimes } from './usual-times.js';

/** Twenty wakes: the agent after 22 s to 41 s, the engine 5 s and the model 20 s after it. */
const wakes = Array.from({ length: 20 }, (_, index): PastWake => {
  const backMs = 22_000 + index * 1_000;
  return {
    phases: { packet_sent: 1, agent_back: backMs, engine_up: backMs + 5_000, model_ready: backMs + 20_000 },
    readyAt: { deep: backMs + 20_000 },
  };
});
const usual = usualTimes(wakes);
const nothing = usualTimes([]);
const ready: ReadyTimes = usual.ready['deep'] ?? { p50Ms: 0, p95Ms: 0 };
const guess: ReadyTimes = readyTimes({
  ...{ usual: nothing, deployment: 'deep', isCached: null, usualLoadSeconds: null },
});

function flight(reached: FlightState['reached'], more: Partial<FlightState> = {}): FlightState {
  const name = reached.agent_back === undefined ? 'calling' : 'starting';
  return { ...newFlight(['deep']), name, reached, ...more };
}

describe('when the model of a wake is expected', () => {
  it.each<[string, FlightState, number, { usuallyMs: number; latestMs: number }]>([
    ['as usual at first', flight({}), 0, { usuallyMs: 51_000, latestMs: 60_000 }],
    [
      'as usual while nothing is late',
      flight({ packet_sent: 2 }),
      30_000,
      { usuallyMs: 51_000, latestMs: 60_000 },
    ],
    [
      'by the slowest agent once it is late',
      flight({ packet_sent: 2 }),
      31_000,
      { usuallyMs: 60_000, latestMs: 60_000 },
    ],
    [
      'as long again as the agent is late, once it is later than any',
      flight({ packet_sent: 2 }),
      61_000,
      { usuallyMs: 111_000, latestMs: 111_000 },
    ],
    [
      'as much later as the agent was',
      flight({ agent_back: 41_000 }),
      41_000,
      { usuallyMs: 61_000, latestMs: 61_000 },
    ],
    [
      'as much sooner as the agent was',
      flight({ agent_back: 11_000 }),
      11_000,
      { usuallyMs: 31_000, latestMs: 31_000 },
    ],
    [
      'later where the engine does not come up',
      flight({ agent_back: 31_000 }),
      46_000,
      { usuallyMs: 71_000, latestMs: 71_000 },
    ],
    [
      'by the engine once it is up',
      flight({ agent_back: 31_000, engine_up: 60_000 }),
      60_000,
      { usuallyMs: 75_000, latestMs: 75_000 },
    ],
    [
      'from the call on, where it went to sleep first',
      flight({}, { callsFromMs: 40_000 }),
      41_000,
      { usuallyMs: 91_000, latestMs: 100_000 },
    ],
    [
      'from now on, while it still goes to sleep',
      flight({}, { callsFromMs: Number.POSITIVE_INFINITY }),
      8_000,
      { usuallyMs: 59_000, latestMs: 68_000 },
    ],
  ])('is told: %s', (_, state, atMs, outlook) => {
    expect(expectReady(state, usual, ready, atMs)).toEqual(outlook);
  });

  it('is a guess where nothing was ever seen, and says nothing of phases', () => {
    const state = flight({ agent_back: 90_000 });
    expect(expectReady(state, nothing, guess, 90_000)).toEqual({ usuallyMs: 135_000, latestMs: 135_000 });
  });

  it('is never in the past by what came early', () => {
    const odd = usualTimes([{ phases: { agent_back: 60_000 }, readyAt: {} }]);
    const soon = { p50Ms: 45_000, p95Ms: 45_000 };
    expect(expectReady(flight({ agent_back: 1_000 }), odd, soon, 1_000).usuallyMs).toBe(1_000);
  });
});

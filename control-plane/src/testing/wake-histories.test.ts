import { describe, expect, it } from 'vitest';
import { type HistoryVerdict, runWakeHistory } from './wake-histories.js';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('random histories of hosts that sleep', () => {
  const verdicts: HistoryVerdict[] = [];

  it.each(SEEDS)('number %i answers everybody, by one flight at a time', async (seed) => {
    const verdict = await runWakeHistory(seed);
    verdicts.push(verdict);
    expect(verdict).toMatchObject({
      ...{ unanswered: 0, doubleFlights: 0, flaps: 0 },
      ...{ sleepsWithWork: 0, staleCommands: 0 },
    });
    expect(verdict.served + verdict.refused + verdict.lost).toBe(verdict.requests);
    expect(verdict.wakes).toBeGreaterThan(0);
  });

  it('have all of it in them: cut links, relays and control planes that end', () => {
    const sum = (name: keyof HistoryVerdict) => verdicts.reduce((all, verdict) => all + verdict[name], 0);
    for (const name of ['cuts', 'relaysLost', 'restarts', 'sleeps', 'served'] as const) {
      expect([name, sum(name) > 0]).toEqual([name, true]);
    }
  });
});

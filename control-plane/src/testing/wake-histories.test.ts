import { describe, expect, it } from 'vitest';
import { runWakeHistory } from './wake-histories.js';

describe('random histories of hosts that sleep', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('number %i answers everybody, by one flight at a time', async (seed) => {
    const verdict = await runWakeHistory(seed);
    expect(verdict).toMatchObject({
      ...{ unanswered: 0, doubleFlights: 0, flaps: 0 },
      ...{ sleepsWithWork: 0, staleCommands: 0 },
    });
    expect(verdict.served + verdict.refused).toBe(verdict.requests);
    expect(verdict.wakes).toBeGreaterThan(0);
  });
});

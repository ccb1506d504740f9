import { describe, expect, it } from 'vitest';
import { judgeFromState, judgePowerState } from './judge-power-state.js';

const facts = {
  presence: 'away',
  goodbyeReason: null,
  sleptBy: null,
  isParked: false,
  isWaking: false,
} as const;

describe('the power state of a host', () => {
  it.each([
    [{ presence: 'unseen' }, 'unseen'],
    [{ presence: 'online' }, 'online'],
    [{ presence: 'online', goodbyeReason: 'suspend' }, 'online'],
    [{ presence: 'online', sleptBy: 'suspend' }, 'online'],
    [{ presence: 'late', goodbyeReason: 'suspend' }, 'late'],
    [{}, 'offline'],
    [{ goodbyeReason: 'suspend' }, 'asleep'],
    [{ goodbyeReason: 'shutdown' }, 'asleep'],
    [{ goodbyeReason: 'restart' }, 'offline'],
    [{ goodbyeReason: 'service_stop' }, 'offline'],
    [{ goodbyeReason: 'heartbeat_lost' }, 'offline'],
    [{ sleptBy: 'suspend' }, 'asleep'],
    [{ sleptBy: 'poweroff', goodbyeReason: 'service_stop' }, 'asleep'],
    [{ presence: 'online', isParked: true }, 'asleep'],
    [{ presence: 'late', isParked: true }, 'late'],
    [{ presence: 'online', isParked: true, isWaking: true }, 'waking'],
    [{ isWaking: true }, 'waking'],
    [{ isWaking: true, presence: 'online' }, 'waking'],
    [{ isWaking: true, presence: 'unseen' }, 'waking'],
  ] as const)('of %j is %s', (more, state) => {
    expect(judgePowerState({ ...facts, ...more })).toBe(state);
  });

  it.each([
    [{}, 'unknown'],
    [{ goodbyeReason: 'suspend' }, 'suspend'],
    [{ goodbyeReason: 'shutdown' }, 'poweroff'],
    [{ goodbyeReason: 'service_stop' }, 'unknown'],
    [{ goodbyeReason: 'suspend', sleptBy: 'hibernate' }, 'hibernate'],
    [{ sleptBy: 'poweroff' }, 'poweroff'],
  ] as const)('of %j comes back from %s', (more, from) => {
    expect(judgeFromState({ ...facts, ...more })).toBe(from);
  });
});

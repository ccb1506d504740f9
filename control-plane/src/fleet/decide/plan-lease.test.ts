import { describe, expect, it } from 'vitest';
import { LEASE_SECONDS, type LeaseFacts, planLease } from './plan-lease.js';

const NOW = 10_000_000;
const nothing: LeaseFacts = {
  isWaking: false,
  isGoing: false,
  isFetching: false,
  requestsInFlight: 0,
  lastUsedAtMs: null,
  wokenAtMs: null,
  minimumUpMs: 900_000,
  keepAwakeUntilMs: null,
};

describe('a machine is held awake', () => {
  it.each<[Partial<LeaseFacts>, boolean]>([
    [{}, false],
    [{ isWaking: true }, true],
    [{ isFetching: true }, true],
    [{ requestsInFlight: 1 }, true],
    [{ lastUsedAtMs: NOW - 119_999 }, true],
    [{ lastUsedAtMs: NOW - 120_000 }, false],
    [{ wokenAtMs: NOW - 899_999 }, true],
    [{ wokenAtMs: NOW - 900_000 }, false],
    [{ wokenAtMs: NOW, minimumUpMs: 0 }, false],
    [{ keepAwakeUntilMs: NOW + 1 }, true],
    [{ keepAwakeUntilMs: NOW }, false],
    [{ isGoing: true, isFetching: true, requestsInFlight: 1, keepAwakeUntilMs: NOW + 1 }, false],
  ])('with %j: %s', (more, held) => {
    expect(planLease({ ...nothing, ...more }, NOW)).toBe(held ? LEASE_SECONDS : 0);
  });
});

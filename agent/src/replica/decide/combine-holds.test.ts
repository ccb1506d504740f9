import { describe, expect, test } from 'vitest';
import { combineHolds, type HoldReason, type HoldTerms } from './combine-holds.js';

const holds = (...all: [HoldReason, HoldTerms][]) => combineHolds(new Map(all));

describe('what holds replicas down', () => {
  test('is nothing where nobody asks for it', () => {
    expect(holds()).toBeNull();
  });

  test('is what the only reason asks for', () => {
    expect(holds(['owner', { action: 'park', drainSeconds: 20 }])).toEqual({
      action: 'park',
      drainSeconds: 20,
      why: 'The card is its owner’s for now.',
    });
  });

  test('of several is the most thorough with the shortest wait', () => {
    const both = holds(
      ['owner', { action: 'park', drainSeconds: 5 }],
      ['power', { action: 'stop', drainSeconds: 60 }],
    );
    expect(both).toMatchObject({ action: 'stop', drainSeconds: 5 });
  });

  test('is told by the reason that ends soonest, in whatever order they came', () => {
    const terms: HoldTerms = { action: 'park', drainSeconds: 5 };
    expect(holds(['parked', terms], ['owner', terms])?.why).toMatch(/owner/);
    expect(holds(['owner', terms], ['power', terms])?.why).toMatch(/sleep/);
  });
});

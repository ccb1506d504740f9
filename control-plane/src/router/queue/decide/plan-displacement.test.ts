import { describe, expect, it } from 'vitest';
import { type HeldParts, heldOf } from '../../testing/held-fixtures.js';
import { HoldLanes } from '../hold-lanes.js';
import { planDisplacement } from './plan-displacement.js';

const bounds = { mostPerRole: 4, mostInAll: 6, mostBytes: 100, mostDisplaced: 2 };

function queueOf(...held: readonly HeldParts[]): HoldLanes {
  const lanes = new HoldLanes();
  for (const [id, parts] of held.entries()) {
    lanes.join(heldOf(id, parts), ['a'], Number.POSITIVE_INFINITY);
  }
  return lanes;
}

/** Ids of those who leave for it. */
function leaveFor(lanes: HoldLanes, newcomer: HeldParts): number[] | null {
  return planDisplacement(lanes, heldOf(1_000, newcomer), bounds)?.map(({ id }) => id) ?? null;
}

const greedy: HeldParts = { key: 'greedy' };
const deep: HeldParts = { key: 'greedy', role: 'chat-deep' };

describe('a place for a newcomer', () => {
  it('costs nobody anything while there is room', () => {
    expect(leaveFor(queueOf(greedy, greedy, greedy), { key: 'greedy' })).toEqual([]);
  });

  it('where the role is full: that of the newest of the greediest key', () => {
    const lanes = queueOf(greedy, { key: 'one' }, greedy, greedy);
    expect(leaveFor(lanes, { key: 'modest' })).toEqual([3]);
    expect(leaveFor(lanes, { key: 'modest', role: 'chat-deep' })).toEqual([]);
  });

  it('of its lowest class, however old', () => {
    const lanes = queueOf({ ...greedy, requestClass: 'batch' }, greedy, greedy, {
      ...greedy,
      requestClass: 'interactive',
    });
    expect(leaveFor(lanes, { key: 'modest' })).toEqual([0]);
  });

  it.each([
    ['of the greediest key itself', [greedy, greedy, greedy, greedy], 'greedy'],
    ['among equals', [greedy, greedy, { key: 'one' }, { key: 'one' }], 'one'],
    [
      'of a key that would then have as many as the other before',
      [greedy, greedy, { key: 'one' }, { key: 'two' }],
      'one',
    ],
    ['where each key has but one', ['one', 'two', 'three', 'four'].map((key) => ({ key })), 'five'],
  ])('is refused %s', (_, held, key) => {
    expect(leaveFor(queueOf(...held), { key })).toBeNull();
  });

  it('of the greediest key itself is that of one that is less urgent', () => {
    const lanes = queueOf(greedy, { ...greedy, requestClass: 'batch' }, greedy, { key: 'one' });
    expect(leaveFor(lanes, { ...greedy, requestClass: 'interactive' })).toEqual([1]);
    expect(leaveFor(lanes, greedy)).toEqual([1]);
    expect(leaveFor(lanes, { ...greedy, requestClass: 'batch' })).toBeNull();
    expect(leaveFor(lanes, { key: 'one', requestClass: 'batch' })).toEqual([1]);
  });

  it('where the whole queue is full: that of the key with most in it, whatever for', () => {
    const lanes = queueOf(deep, greedy, deep, { key: 'one' }, { key: 'one' }, greedy);
    expect(leaveFor(lanes, { key: 'modest', role: 'chat-other' })).toEqual([5]);
    expect(leaveFor(lanes, { key: 'one', role: 'chat-other' })).toEqual([5]);
    expect(leaveFor(lanes, { key: 'greedy', role: 'chat-other' })).toBeNull();
  });

  it('where bytes are full: as many of the key with most bytes as are needed, within a bound', () => {
    const lanes = queueOf(...[50, 20, 20].map((bytes) => ({ ...greedy, bytes })));
    expect(leaveFor(lanes, { key: 'modest', bytes: 10 })).toEqual([]);
    expect(leaveFor(lanes, { key: 'modest', bytes: 30 })).toEqual([2]);
    expect(leaveFor(lanes, { key: 'modest', bytes: 45 })).toEqual([2, 1]);
    expect(leaveFor(lanes, { key: 'modest', bytes: 60 })).toBeNull();
    expect(leaveFor(lanes, { key: 'greedy', bytes: 20 })).toBeNull();
  });

  it('is refused where the one that must leave for its number leaves too few bytes', () => {
    const lanes = queueOf(...[40, 40, 10, 10].map((bytes) => ({ ...greedy, bytes })));
    expect(leaveFor(lanes, { key: 'modest', bytes: 10 })).toEqual([3]);
    expect(leaveFor(lanes, { key: 'modest', bytes: 20 })).toBeNull();
  });
});

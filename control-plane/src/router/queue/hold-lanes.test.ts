import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REQUEST_CLASSES, type RequestClass } from '../../declared/request-class.js';
import { type HeldParts, heldOf, serveAll } from '../testing/held-fixtures.js';
import { planDisplacement } from './decide/plan-displacement.js';
import type { HeldEntry } from './held-entry.js';
import { HoldLanes } from './hold-lanes.js';

const NEVER = Number.POSITIVE_INFINITY;

/** Lanes with these in them, in this order; all wait for `a` but those that say otherwise. */
function lanesOf(
  ...held: readonly (HeldParts & { readonly waitsFor?: readonly string[]; lookAtMs?: number })[]
) {
  const lanes = new HoldLanes();
  const entries = held.map(({ waitsFor = ['a'], lookAtMs = NEVER, ...parts }, id) => {
    const entry = heldOf(id, parts);
    lanes.join(entry, waitsFor, lookAtMs);
    return entry;
  });
  return { lanes, entries };
}

const ids = (entries: readonly HeldEntry[]): number[] => entries.map(({ id }) => id);
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);

describe('whose turn it is', () => {
  it('one key: in the order of arrival', () => {
    expect(ids(serveAll(lanesOf({}, {}, {}).lanes))).toEqual([0, 1, 2]);
  });

  it('several keys: in turns, however much one of them asks', () => {
    const greedy = times(4, { key: 'greedy' });
    const { lanes } = lanesOf(...greedy, { key: 'modest' }, { key: 'third' });
    expect(ids(serveAll(lanes))).toEqual([0, 4, 5, 1, 2, 3]);
  });

  it('several classes: by their weights, in each keys in turns', () => {
    const { lanes } = lanesOf(
      ...times(2, { requestClass: 'batch', key: 'nightly' } as const),
      ...times(9, { requestClass: 'interactive', key: 'one' } as const),
      { requestClass: 'interactive', key: 'other' },
    );
    const served = serveAll(lanes).map(({ request }) => request);
    expect(served.slice(0, 9).map(({ requestClass }) => requestClass)).toEqual([
      ...times<RequestClass>(8, 'interactive'),
      'batch',
    ]);
    expect(served.slice(0, 3).map(({ key }) => key)).toEqual(['one', 'other', 'one']);
  });

  it('roles that share a target: the more urgent first, else in turns', () => {
    const { lanes } = lanesOf(
      ...times(3, { role: 'chat-deep' }),
      { role: 'chat-fast' },
      { role: 'chat-urgent', requestClass: 'interactive' },
    );
    expect(serveAll(lanes).map(({ request }) => request.role)).toEqual([
      ...['chat-urgent', 'chat-deep', 'chat-fast', 'chat-deep', 'chat-deep'],
    ]);
  });

  it('a key that waits in several lanes has one turn for all of them', () => {
    const { lanes } = lanesOf(
      ...times(2, { key: 'greedy' }),
      ...times(2, { key: 'greedy', waitsFor: ['a', 'b'] }),
      ...times(2, { key: 'greedy', role: 'chat-deep' }),
      ...times(3, { key: 'modest' }),
    );
    const keys = serveAll(lanes).map(({ request }) => request.key);
    expect(keys.slice(0, 6)).toEqual(['greedy', 'modest', 'greedy', 'modest', 'greedy', 'modest']);
  });

  it('a turn at one target is none at another', () => {
    const { lanes } = lanesOf(
      { key: 'one' },
      { key: 'one', waitsFor: ['b'] },
      { key: 'other', waitsFor: ['b'] },
    );
    const [first] = [lanes.next('a', 1)];
    if (first === null || first === undefined) throw new Error('somebody waits');
    lanes.served(first, 'a');
    expect(lanes.next('b', 1)?.request.key).toBe('one');
  });

  it('only those that wait for the target', () => {
    const { lanes } = lanesOf({}, { waitsFor: ['b'] }, { waitsFor: ['b', 'a'] });
    expect(lanes.next('b', 1)?.id).toBe(1);
    expect(lanes.next('c', 1)).toBeNull();
    expect(lanes.targets.toSorted()).toEqual(['a', 'b']);
    expect(ids(serveAll(lanes, 'a'))).toEqual([0, 2]);
  });

  it('nobody of a lane of which one looked in vain in this round', () => {
    const { lanes, entries } = lanesOf(
      {},
      { key: 'other' },
      { requestClass: 'batch' },
      { waitsFor: ['a', 'b'] },
    );
    const [first] = entries as [HeldEntry];
    lanes.waitsOn(first, ['a'], NEVER, 1);
    expect(lanes.next('a', 1)?.id).toBe(3);
    expect(lanes.next('a', 2)?.id).toBe(0);
  });

  it('who comes to wait for something else keeps its age and its turn', () => {
    const { lanes, entries } = lanesOf(
      { waitsFor: ['a'] },
      { waitsFor: ['b'] },
      { waitsFor: ['b'], key: 'other' },
    );
    const [first] = entries as [HeldEntry];
    lanes.waitsOn(first, ['b'], NEVER, 1);
    expect(lanes.next('b', 1)).toBeNull();
    expect(ids(serveAll(lanes, 'b', 2))).toEqual([0, 2, 1]);
    expect(lanes.targets).toEqual([]);
  });

  it('who leaves spends no turn', () => {
    const { lanes, entries } = lanesOf({ key: 'one' }, { key: 'one' }, { key: 'other' });
    lanes.remove(entries[0] as HeldEntry);
    lanes.remove(entries[0] as HeldEntry);
    expect(ids(serveAll(lanes))).toEqual([1, 2]);
  });
});

it('counts those of a role that are no less urgent', () => {
  const { lanes } = lanesOf(
    ...times(3, { requestClass: 'batch' } as const),
    ...times(2, { key: 'other' }),
    { requestClass: 'interactive' },
    { role: 'chat-deep' },
  );
  expect(([0, 1, 2] as const).map((rank) => lanes.countUpTo('chat-fast', rank))).toEqual([1, 3, 6]);
  expect(lanes.countUpTo('chat-unknown', 2)).toBe(0);
});

describe('moments', () => {
  it('of patience: the first to end, whichever lane it is in', () => {
    const { lanes, entries } = lanesOf({ endsAtMs: 30 }, { endsAtMs: 10, waitsFor: ['b'] }, { endsAtMs: 90 });
    expect(lanes.firstToEnd?.id).toBe(1);
    lanes.remove(entries[1] as HeldEntry);
    expect(lanes.firstToEnd?.id).toBe(0);
  });

  it('of looking again: the lane’s, whoever comes behind; and what the last look told', () => {
    const { lanes, entries } = lanesOf({ lookAtMs: 40 }, { lookAtMs: 10 }, { waitsFor: ['b'] });
    expect(lanes.firstToLook).toMatchObject({ waitsFor: ['a'], dueAtMs: 40 });
    lanes.waitsOn(entries[0] as HeldEntry, ['a'], 70, 1);
    expect(lanes.firstToLook?.dueAtMs).toBe(70);
    const lane = lanes.firstToLook;
    if (lane !== undefined) lanes.looksNow(lane);
    expect(lanes.firstToLook?.dueAtMs).toBe(NEVER);
  });
});

describe('whatever happens', () => {
  const bounds = { mostPerRole: 6, mostInAll: 9, mostBytes: 100, mostDisplaced: 3 };
  const move = fc.record({
    kind: fc.constantFrom('join', 'join', 'serve', 'leave', 'wait' as const),
    key: fc.constantFrom('one', 'two', 'three'),
    role: fc.constantFrom('chat-fast', 'chat-deep'),
    requestClass: fc.constantFrom(...REQUEST_CLASSES),
    waitsFor: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    bytes: fc.integer({ min: 0, max: 40 }),
    pick: fc.nat(),
  });

  it('no request is lost, none is there twice, bounds hold, and what leaves was served, left or was displaced', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 120, size: 'max' }), (moves) => {
        const lanes = new HoldLanes();
        const held = new Map<number, HeldEntry>();
        moves.forEach(({ kind, pick, waitsFor, ...parts }, id) => {
          const one = [...held.values()][pick % Math.max(1, held.size)];
          if (kind === 'join') {
            const entry = heldOf(id, { ...parts, endsAtMs: pick });
            const leaving = planDisplacement(lanes, entry, bounds);
            for (const gone of leaving ?? []) {
              if (gone.request.key === parts.key) expect(gone.rank).toBeGreaterThan(entry.rank);
              expect(held.delete(gone.id)).toBe(true);
              lanes.remove(gone);
            }
            if (leaving === null) return;
            lanes.join(entry, waitsFor, pick);
            held.set(id, entry);
          } else if (kind === 'serve') {
            const entry = lanes.next(waitsFor[0] as string, id);
            if (entry === null) return;
            lanes.served(entry, waitsFor[0] as string);
            expect(held.delete(entry.id)).toBe(true);
          } else if (one !== undefined && kind === 'leave') {
            lanes.remove(one);
            held.delete(one.id);
          } else if (one !== undefined) lanes.waitsOn(one, waitsFor, pick, id);
          check(lanes, [...held.values()]);
        });
        const served = lanes.targets.flatMap((target) => serveAll(lanes, target, -1));
        expect(ids(served).sort((a, b) => a - b)).toEqual([...held.keys()].sort((a, b) => a - b));
        check(lanes, []);
      }),
    );
  });

  function check(lanes: HoldLanes, held: readonly HeldEntry[]): void {
    const lines = [...lanes.competitors(['a', 'b', 'c'])];
    const standing = lines.flatMap(({ entries }) => entries);
    expect(ids(standing).sort((a, b) => a - b)).toEqual(ids(held).sort((a, b) => a - b));
    for (const line of lines) {
      expect(ids(line.entries)).toEqual(ids(line.entries).sort((a, b) => a - b));
      for (const { rank, request, line: own } of line.entries) {
        expect([rank, request.key, request.role, own]).toEqual([
          line.rank,
          line.party.key,
          line.party.role,
          line,
        ]);
      }
    }
    expect(lanes.count).toBe(held.length);
    expect(lanes.count).toBeLessThanOrEqual(bounds.mostInAll);
    expect(lanes.bytes).toBe(held.reduce((sum, { request }) => sum + request.bytes, 0));
    expect(lanes.bytes).toBeLessThanOrEqual(bounds.mostBytes);
    const soonest = Math.min(...held.map(({ dueAtMs }) => dueAtMs));
    expect(lanes.firstToEnd?.dueAtMs ?? NEVER).toBe(soonest);
    const gauges = new Map(
      lanes.gauges().map(({ role, requestClass, count }) => [`${role} ${requestClass}`, count]),
    );
    expect([...gauges.values()].reduce((sum, count) => sum + count, 0)).toBe(held.length);
    for (const { role, count, parties } of lanes.roles.values()) {
      expect(count).toBeLessThanOrEqual(bounds.mostPerRole);
      for (const party of parties.values()) {
        const own = held.filter(({ request }) => request.role === role && request.key === party.key);
        expect([party.count, ids(party.entries.flat()).sort((a, b) => a - b)]).toEqual([
          own.length,
          ids(own),
        ]);
      }
    }
    for (const { key, count, bytes } of lanes.keys.values()) {
      const own = held.filter(({ request }) => request.key === key).map(({ request }) => request.bytes);
      expect([count, bytes]).toEqual([own.length, own.reduce((sum, each) => sum + each, 0)]);
    }
  }

  it('between two turns of a key each other key of its class that waits for the same has one; a key’s own go in order', () => {
    const who = fc.record({
      key: fc.constantFrom('one', 'two', 'three', 'four'),
      requestClass: fc.constantFrom(...REQUEST_CLASSES),
    });
    fc.assert(
      fc.property(fc.array(who, { maxLength: 60 }), (waiting) => {
        const served = serveAll(lanesOf(...waiting).lanes);
        for (const requestClass of REQUEST_CLASSES) {
          const ofClass = served.filter(({ request }) => request.requestClass === requestClass);
          const keys = ofClass.map(({ request }) => request.key);
          keys.forEach((key, turn) => {
            const again = keys.indexOf(key, turn + 1);
            if (again < 0) return;
            expect((ofClass[again] as HeldEntry).id).toBeGreaterThan((ofClass[turn] as HeldEntry).id);
            const between = new Set(keys.slice(turn + 1, again));
            for (const other of new Set(keys.slice(again)))
              if (other !== key) expect(between).toContain(other);
          });
        }
      }),
    );
  });

  it('batch has a turn within thirteen, however many come that are more urgent', () => {
    const coming = fc.array(fc.constantFrom<RequestClass>('interactive', 'normal'), {
      minLength: 80,
      maxLength: 80,
    });
    fc.assert(
      fc.property(coming, fc.integer({ min: 1, max: 5 }), (classes, keys) => {
        const { lanes } = lanesOf(...times(8, { requestClass: 'batch', key: 'nightly' } as const));
        let since = 0;
        classes.forEach((requestClass, index) => {
          const id = 100 + 2 * index;
          lanes.join(heldOf(id, { requestClass, key: `key-${index % keys}` }), ['a'], NEVER);
          lanes.join(heldOf(id + 1, { requestClass, key: 'another' }), ['a'], NEVER);
          const entry = lanes.next('a', 1);
          if (entry === null) throw new Error('nobody waits');
          lanes.served(entry, 'a');
          since = entry.request.requestClass === 'batch' ? 0 : since + 1;
          if (lanes.gauges().some(({ requestClass: waiting }) => waiting === 'batch')) {
            expect(since).toBeLessThanOrEqual(12);
          }
        });
      }),
    );
  });
});

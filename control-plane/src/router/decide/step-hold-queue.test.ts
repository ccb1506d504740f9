import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allHeld,
  dueTargets,
  emptyHoldQueue,
  type HeldEntry,
  type HoldEvent,
  type HoldQueue,
  nextInTurn,
  nextMoment,
  overdue,
  stepHoldQueue,
} from './step-hold-queue.js';

const bounds = { mostPerRole: 6, mostInAll: 9, mostBytes: 100 };
const wide = { mostPerRole: 1_000, mostInAll: 1_000, mostBytes: 1_000_000 };

function entryOf(id: number, more: Partial<HeldEntry> = {}): HeldEntry {
  return {
    ...{ id, key: 'notes', role: 'chat-fast', waitsFor: ['a'], bytes: 1 },
    ...{ endsAtMs: 50_000, lookAtMs: Number.POSITIVE_INFINITY, ...more },
  };
}

function queueOf(...entries: readonly HeldEntry[]): HoldQueue {
  return entries.reduce<HoldQueue>((queue, entry) => {
    const next = stepHoldQueue(queue, { kind: 'joined', entry }, wide);
    if (next === null) throw new Error('the queue is full');
    return next;
  }, emptyHoldQueue);
}

/** Serves one after the other, as a replica does that takes one at a time. */
function serveAll(queue: HoldQueue): number[] {
  const served: number[] = [];
  let left = queue;
  for (let entry = nextInTurn(left, null, new Set()); entry !== null; ) {
    served.push(entry.id);
    left = stepHoldQueue(left, { kind: 'served', entry }, wide) ?? emptyHoldQueue;
    entry = nextInTurn(left, null, new Set());
  }
  return served;
}

describe('the queue of held requests', () => {
  it('serves one key in the order of arrival', () => {
    expect(serveAll(queueOf(entryOf(1), entryOf(2), entryOf(3)))).toEqual([1, 2, 3]);
  });

  it('lets keys take turns, however much one of them asks', () => {
    const greedy = [1, 2, 3, 4].map((id) => entryOf(id, { key: 'greedy' }));
    expect(serveAll(queueOf(...greedy, entryOf(5, { key: 'modest' }), entryOf(6, { key: 'third' })))).toEqual(
      [1, 5, 6, 2, 3, 4],
    );
  });

  it('lets what waits for other targets take turns too', () => {
    const queue = queueOf(entryOf(1), entryOf(2), entryOf(3, { waitsFor: ['a', 'b'] }));
    expect(serveAll(queue)).toEqual([1, 3, 2]);
  });

  it('offers only what waits for a target that changed', () => {
    const queue = queueOf(entryOf(1), entryOf(2, { waitsFor: ['b'] }));
    expect(nextInTurn(queue, new Set(['b']), new Set())?.id).toBe(2);
    expect(nextInTurn(queue, new Set(['c']), new Set())).toBeNull();
  });

  it('asks no second one of a lane whose first still waits', () => {
    const queue = queueOf(entryOf(1), entryOf(2, { key: 'other' }), entryOf(3, { waitsFor: ['b'] }));
    expect(nextInTurn(queue, null, new Set([1]))?.id).toBe(3);
    expect(nextInTurn(queue, null, new Set([1, 3]))).toBeNull();
  });

  it('keeps the age of a request that comes to wait for something else', () => {
    const before = entryOf(1);
    const queue = queueOf(before, entryOf(2, { waitsFor: ['b'] }));
    const moved = stepHoldQueue(
      queue,
      { kind: 'waits', entry: before, now: entryOf(1, { waitsFor: ['b'] }) },
      wide,
    );
    expect(serveAll(moved ?? emptyHoldQueue)).toEqual([1, 2]);
  });

  it.each([
    { of: 'one role', entries: Array.from({ length: 6 }, (_, id) => entryOf(id)), next: entryOf(99) },
    {
      of: 'all roles',
      entries: Array.from({ length: 9 }, (_, id) => entryOf(id, { role: `role-${id % 3}` })),
      next: entryOf(99, { role: 'another' }),
    },
    { of: 'bytes', entries: [entryOf(1, { bytes: 99 })], next: entryOf(2, { bytes: 2 }) },
  ])('takes no more than its bound of $of', ({ entries, next }) => {
    const queue = queueOf(...entries);
    expect(stepHoldQueue(queue, { kind: 'joined', entry: next }, bounds)).toBeNull();
    const [first] = entries as [HeldEntry];
    const roomier = stepHoldQueue(queue, { kind: 'left', entry: first }, bounds) ?? queue;
    expect(stepHoldQueue(roomier, { kind: 'joined', entry: next }, bounds)).not.toBeNull();
  });

  it('knows whose patience is over, the first ahead, and when to look next', () => {
    const queue = queueOf(
      entryOf(1, { endsAtMs: 30 }),
      entryOf(2, { endsAtMs: 10 }),
      entryOf(3, { endsAtMs: 90, lookAtMs: 20, waitsFor: ['b'] }),
    );
    expect(overdue(queue, 30).map(({ id }) => id)).toEqual([2, 1]);
    expect(nextMoment(queue)).toBe(10);
    expect([...dueTargets(queue, 20)]).toEqual(['b']);
    const behind = queueOf(entryOf(1, { lookAtMs: 40 }), entryOf(2, { lookAtMs: 5 }));
    expect(nextMoment(behind)).toBe(40);
    expect(dueTargets(behind, 20).size).toBe(0);
    expect(nextMoment(emptyHoldQueue)).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets the head of a lane look again for all behind it: a moment of theirs that has passed calls nobody', () => {
    const queue = queueOf(
      entryOf(1, { lookAtMs: 40 }),
      entryOf(2, { lookAtMs: 10 }),
      entryOf(3, { key: 'other', lookAtMs: 20 }),
    );
    expect(nextMoment(queue)).toBe(40);
    expect([...dueTargets(queue, 30)]).toEqual([]);
    expect([...dueTargets(queue, 40)]).toEqual(['a']);
  });

  it('refuses an event for what it does not hold', () => {
    const gone = entryOf(7);
    const queue = queueOf(entryOf(1));
    for (const kind of ['served', 'left'] as const) {
      expect(stepHoldQueue(queue, { kind, entry: gone }, wide)).toBeNull();
    }
    expect(stepHoldQueue(queue, { kind: 'waits', entry: gone, now: gone }, wide)).toBeNull();
  });
});

describe('whatever happens', () => {
  const move = fc.record({
    kind: fc.constantFrom('joined', 'served', 'left', 'waits' as const),
    key: fc.constantFrom('one', 'two', 'three'),
    role: fc.constantFrom('chat-fast', 'chat-deep'),
    waitsFor: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    bytes: fc.integer({ min: 0, max: 40 }),
    pick: fc.nat(),
  });

  it('no request is lost, none is there twice, and the bounds hold', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 120 }), (moves) => {
        let queue = emptyHoldQueue;
        const held = new Map<number, HeldEntry>();
        moves.forEach(({ kind, pick, ...parts }, id) => {
          const known = [...held.values()];
          const entry = kind === 'joined' ? entryOf(id, parts) : known[pick % Math.max(1, known.length)];
          if (entry === undefined) return;
          const now = { ...entry, waitsFor: parts.waitsFor };
          const event: HoldEvent = kind === 'waits' ? { kind, entry, now } : { kind, entry };
          const next = stepHoldQueue(queue, event, bounds);
          if (kind === 'joined' && next === null) return;
          expect(next).not.toBeNull();
          queue = next ?? queue;
          if (kind === 'joined') held.set(id, entry);
          else if (kind === 'waits') held.set(entry.id, now);
          else held.delete(entry.id);
          const byId = (a: HeldEntry, b: HeldEntry): number => a.id - b.id;
          expect(allHeld(queue).sort(byId)).toEqual([...held.values()].sort(byId));
          expect(queue.count).toBe(held.size);
          expect(queue.count).toBeLessThanOrEqual(bounds.mostInAll);
          expect(queue.bytes).toBe([...held.values()].reduce((sum, { bytes }) => sum + bytes, 0));
          expect(queue.bytes).toBeLessThanOrEqual(bounds.mostBytes);
          for (const count of queue.perRole.values()) expect(count).toBeLessThanOrEqual(bounds.mostPerRole);
        });
        expect(serveAll(queue).sort((a, b) => a - b)).toEqual([...held.keys()].sort((a, b) => a - b));
      }),
    );
  });

  it('between two turns of a key each other key that waits for the same has one', () => {
    const keys = fc.array(fc.constantFrom('one', 'two', 'three', 'four'), { maxLength: 40 });
    fc.assert(
      fc.property(keys, (owners) => {
        const queue = queueOf(...owners.map((key, id) => entryOf(id, { key })));
        const served = serveAll(queue).map((id) => owners[id] as string);
        served.forEach((key, turn) => {
          const again = served.indexOf(key, turn + 1);
          if (again < 0) return;
          const between = new Set(served.slice(turn + 1, again));
          const waiting = new Set(served.slice(again));
          for (const other of waiting) if (other !== key) expect(between.has(other)).toBe(true);
        });
      }),
    );
  });
});

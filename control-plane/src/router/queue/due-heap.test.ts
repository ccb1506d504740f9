import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, DueHeap } from './due-heap.js';

describe('what is due', () => {
  it('is told the earliest first, however things come, go and move', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'remove', 'move', 'take' as const),
      atMs: fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY)),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new DueHeap<Due>();
        const there: Due[] = [];
        for (const { kind, atMs, pick } of steps) {
          const one = there[pick % Math.max(1, there.length)];
          if (kind === 'add') {
            const item = { dueAtMs: atMs, heapPlace: -1 };
            there.push(item);
            heap.add(item);
          } else if (kind === 'move') {
            if (one !== undefined) heap.move(one, atMs);
          } else {
            const gone = kind === 'take' ? heap.first : one;
            if (gone === undefined) continue;
            heap.remove(gone);
            heap.remove(gone);
            there.splice(there.indexOf(gone), 1);
          }
          expect(heap.size).toBe(there.length);
          const earliest = Math.min(...there.map(({ dueAtMs }) => dueAtMs));
          expect(heap.first?.dueAtMs ?? Number.POSITIVE_INFINITY).toBe(earliest);
        }
      }),
    );
  });
});

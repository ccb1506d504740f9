import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotList } from './slot-list.js';

class Item {
  slot = -1;
}

function seen(list: SlotList<'slot', Item>): Set<Item> {
  const items: Item[] = [];
  list.forEach((item) => {
    items.push(item);
  });
  expect(new Set(items).size).toBe(items.length);
  return new Set(items);
}

describe('a list of slots', () => {
  it('holds what a set would, whatever comes and goes', () => {
    const step = fc.record({ adds: fc.boolean(), which: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const items = Array.from({ length: 10 }, () => new Item());
        const list = new SlotList<'slot', Item>('slot');
        const set = new Set<Item>();
        for (const { adds, which } of steps) {
          const item = items[which] as Item;
          if (adds) list.add(item);
          else list.remove(item);
          if (adds) set.add(item);
          else set.delete(item);
          expect(list.size).toBe(set.size);
        }
        expect(seen(list)).toEqual(set);
        for (const item of items) expect(item.slot >= 0).toBe(set.has(item));
      }),
    );
  });

  it('may lose what is looked at, and others, while it is looked through', () => {
    const items = Array.from({ length: 6 }, () => new Item());
    const list = new SlotList<'slot', Item>('slot');
    for (const item of items) list.add(item);
    const looked: Item[] = [];
    list.forEach((item) => {
      looked.push(item);
      list.remove(item);
      list.remove(items[0] as Item);
    });
    expect(new Set(looked).size).toBe(looked.length);
    expect(list.size).toBe(0);
    expect(looked).toHaveLength(5);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REQUEST_CLASSES } from '../../../declared/request-class.js';
import { type HeldParts, heldOf, serveAll } from '../../testing/held-fixtures.js';
import { rankOf } from '../class-turns.js';
import type { HeldEntry } from '../held-entry.js';
import { HoldLanes } from '../hold-lanes.js';
import { countAhead } from './plan-place.js';

function queueOf(held: readonly HeldParts[]): {
  readonly lanes: HoldLanes;
  readonly entries: readonly HeldEntry[];
} {
  const lanes = new HoldLanes();
  const entries = held.map((parts, id) => heldOf(id, parts));
  for (const entry of entries) lanes.join(entry, ['a'], Number.POSITIVE_INFINITY);
  return { lanes, entries };
}

function aheadOf(lanes: HoldLanes, { id, line, rank, request: { key, role } }: HeldEntry): number {
  const held = line === null ? null : { line, id };
  return countAhead({ role, key, rank, held }, lanes.competitors(['a']));
}

const who = fc.record({
  key: fc.constantFrom('one', 'two', 'three'),
  requestClass: fc.constantFrom(...REQUEST_CLASSES),
});

describe('how many are ahead', () => {
  it('are those that are served first: exactly within a class, and about so across them', () => {
    fc.assert(
      fc.property(fc.array(who, { minLength: 1, maxLength: 40 }), fc.boolean(), (waiting, oneClass) => {
        const held = oneClass ? waiting.map(({ key }) => ({ key })) : waiting;
        const { lanes, entries } = queueOf(held);
        const told = entries.map((entry) => aheadOf(lanes, entry));
        const served = serveAll(lanes);
        const slack = oneClass ? 0 : 2;
        entries.forEach((entry, index) => {
          expect(Math.abs((told[index] as number) - served.indexOf(entry))).toBeLessThanOrEqual(slack);
        });
      }),
    );
  });

  it('of a newcomer are as many as if it had joined', () => {
    fc.assert(
      fc.property(fc.array(who, { maxLength: 30 }), who, (waiting, newcomer) => {
        const { lanes } = queueOf(waiting);
        const { key, requestClass } = newcomer;
        const asker = { role: 'chat-fast', key, rank: rankOf(requestClass), held: null };
        const told = countAhead(asker, lanes.competitors(['a']));
        const entry = heldOf(1_000, newcomer);
        lanes.join(entry, ['a'], Number.POSITIVE_INFINITY);
        expect(told).toBe(aheadOf(lanes, entry));
      }),
    );
  });
});

import { expect, test } from 'vitest';
import { type EndableConnection, pickConnectionsToEnd } from './pick-connections-to-end.js';

const one = (
  state: EndableConnection['state'],
  sequence: number,
  quietSweeps = 0,
): EndableConnection & { sequence: number } => ({ state, sequence, quietSweeps });

function picked(connections: EndableConnection[], most = 9): number[] {
  return pickConnectionsToEnd(connections, most).map(({ sequence }) => sequence);
}

test('the oldest idle one goes first, busy ones never', () => {
  expect(picked([one('idle', 5), one('busy', 1), one('idle', 2), one('idle', 9)])).toEqual([2, 5, 9]);
  expect(picked([one('idle', 5), one('busy', 1), one('idle', 2)], 1)).toEqual([2]);
});

test('before it go those that have asked nothing for two seconds', () => {
  const idle = Array.from({ length: 12 }, (_, index) => one('idle', index));
  expect(picked([...idle, one('unasked', 20, 3), one('unasked', 19, 2), one('unasked', 18, 1)], 3)).toEqual([
    19, 20, 0,
  ]);
});

test('in a flood of those, who was answered within the last second is spared', () => {
  const flood = Array.from({ length: 4 }, (_, index) => one('unasked', 10 + index, 1));
  expect(picked([one('idle', 1), one('idle', 2, 2), one('idle', 3, 1), ...flood])).toEqual([2]);
});

test('where nobody can go, nobody does', () => {
  expect(picked([one('busy', 1), one('unasked', 2)])).toEqual([]);
});

import { expect, it } from 'vitest';
import type { HostCheck } from '../../doctor/host-checks.js';
import { formatCheck, summariseChecks } from './format-checks.js';

const check = (state: HostCheck['state'], fix: string | null = null): HostCheck => ({
  ...{ id: 'cdi', state, says: 'what was found', fix },
});

it('tells what was found, and below it what mends it', () => {
  expect(formatCheck(check('green'))).toBe('  ✓ CDI                 what was found');
  expect(formatCheck(check('red', 'do this'))).toBe(
    '  ✗ CDI                 what was found\n                        → do this',
  );
});

it.each([
  [['green', 'not_applicable'], 'Nothing is wrong'],
  [['green', 'waiting'], 'Nothing is wrong, 1 not known yet'],
  [['red', 'red', 'waiting'], '2 to mend, 1 not known yet'],
] as const)('%j: %s', (states, says) => {
  expect(summariseChecks(states.map((state) => check(state)))).toBe(says);
});

import { describe, expect, it } from 'vitest';
import { agrees, type CheckedPolicy } from './gateway-check.js';

function checked(simulated: readonly number[], measured: readonly number[]): CheckedPolicy[] {
  const names = ['ours', 'least-in-flight', 'round-robin'] as const;
  return names.map((policy, index) => ({
    ...{ policy, simulated: simulated[index] ?? 0, measured: measured[index] ?? 0, failed: 0 },
  }));
}

describe('the check of the laboratory against the gateway', () => {
  it.each([
    ['the same order', [1, 2, 9], [1.3, 1.9, 7], true],
    ['two that change places', [1, 2, 9], [2, 1.3, 7], false],
    ['two that are as good as equal in simulation', [1.1, 1, 9], [1, 1.05, 7], true],
    ['two that are equal through the gateway alone', [1, 2, 9], [1.5, 1.5, 7], false],
  ])('finds %s', (_, simulated, measured, expected) => {
    expect(agrees(checked(simulated, measured))).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { readPlan } from './routing-plan.js';

describe('what the laboratory is asked for', () => {
  it('is everything with twenty seeds, where nothing is said', () => {
    const { scenarios, policies, seeds, isWhole } = readPlan({});
    expect(scenarios.length).toBeGreaterThan(15);
    expect(policies.length).toBe(8);
    expect([seeds, isWhole]).toEqual([20, true]);
  });

  it('may be one scenario with other seeds, requests and policies', () => {
    const plan = readPlan({
      scenario: 'wide',
      seed: '5',
      seeds: '3',
      requests: '300',
      policies: 'ours, oracle',
    });
    const [scenario] = plan.scenarios;
    expect(scenario).toMatchObject({ name: 'wide', requests: 300 });
    expect(scenario && plan.seedsOf(scenario)).toEqual([5, 6, 7]);
    expect(plan.policies.map(({ name }) => name)).toEqual(['ours', 'oracle']);
    expect(plan.isWhole).toBe(false);
  });

  it.each([
    [{ scenario: 'wyde' }, 'wyde is neither a file nor the name of one that comes along; do you mean wide?'],
    [{ seeds: '0' }, '--seeds: expected a whole number from 1 to 1000000, found 0'],
    [{ seed: '1.5' }, '--seed: expected a whole number from 0 to 1000000, found 1.5'],
    [{ requests: '100' }, '--requests: the first 200 of bursts do not count, 100 are too few'],
    [{ policies: 'ours,orakel' }, '--policies: orakel is not known; there are ours, oracle'],
  ])('is refused with the reason: %j', (options, message) => {
    expect(() => readPlan(options)).toThrow(message);
  });
});

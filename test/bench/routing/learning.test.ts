import { describe, expect, it } from 'vitest';
import { measureLearning } from './learning.js';
import { roundRobin } from './rivals/simple-rivals.js';
import { parseScenario } from './scenario/read-scenario.js';

describe('how fast a policy learns', () => {
  it('is at once for one that learns nothing', async () => {
    const scenario = parseScenario(
      [
        'name: sample',
        'requests: 300',
        'fleet: [{ card: big, deployment: a }, { card: big, deployment: b }]',
        'load: { ofCapacity: 0.3 }',
        'prompt: { lognormal: { median: 400, sigma: 0.5, most: 1000 } }',
        'answer: { lognormal: { median: 60, sigma: 0.5, most: 200 } }',
      ].join('\n'),
      'sample',
    );
    const { ratios, within } = await measureLearning(scenario, roundRobin, [1, 2], () => Promise.resolve());
    expect(ratios).toHaveLength(3);
    expect(within).toBe(0);
  });
});

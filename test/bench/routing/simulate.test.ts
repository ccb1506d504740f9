import { describe, expect, it } from 'vitest';
import { policies } from './policies.js';
import { figuresOf } from './run-scenario.js';
import { parseScenario } from './scenario/read-scenario.js';
import type { Scenario } from './scenario/scenario.js';
import { type RunResult, simulate } from './simulate.js';

function scenarioOf(more = '', fleet = '[rtx2080, rtx4070s]'): Scenario {
  const cards = fleet.slice(1, -1).split(', ');
  const text = [
    'name: sample',
    'requests: 250',
    'ignoreFirst: 50',
    `fleet: [${cards.map((card, index) => `{ card: ${card}, deployment: d${index} }`).join(', ')}]`,
    'load: { ofCapacity: 0.7 }',
    'prompt: { lognormal: { median: 400, sigma: 1, most: 4000 } }',
    'answer: { lognormal: { median: 60, sigma: 0.9, most: 500 } }',
    more,
  ];
  return parseScenario(text.join('\n'), 'sample');
}

function run(name: string, scenario: Scenario, seed = 1): RunResult {
  const policy = policies.find((each) => each.name === name);
  if (policy === undefined) throw new Error(`${name} is no policy`);
  return simulate(scenario, policy, seed);
}

const everybody = policies.map(({ name }) => name);

describe('a simulated fleet', () => {
  it.each(everybody)('serves every request in the end, under %s', (name) => {
    const { served, failed, ttftMs, totalMs } = run(name, scenarioOf());
    expect([served.reduce((sum, each) => sum + each, 0), failed]).toEqual([200, 0]);
    for (const [index, ttft] of ttftMs.entries()) {
      expect(ttft).toBeGreaterThan(0);
      expect(totalMs[index]).toBeGreaterThanOrEqual(ttft);
    }
  });

  it.each(everybody)('comes to the same with the same seed, under %s', (name) => {
    const scenario = scenarioOf('prefixes: { groups: 2, sharedTokens: 600, turns: 2 }');
    expect(run(name, scenario, 5)).toEqual(run(name, scenario, 5));
  });

  it('comes to something else with another seed', () => {
    expect(run('random', scenarioOf(), 1).ttftMs).not.toEqual(run('random', scenarioOf(), 2).ttftMs);
  });

  it.each([
    ['one card is six times the other', scenarioOf('', '[rtx2080, big]')],
    [
      'others use the faster one',
      scenarioOf('outside: [{ replica: d1, load: { ofCapacity: 0.8 }, onSeconds: 20, offSeconds: 20 }]'),
    ],
  ])('nobody beats the oracle by far where %s', (_, scenario) => {
    const best = figuresOf(run('oracle', scenario)).ttftP95;
    for (const name of everybody.filter((each) => each !== 'ours')) {
      expect(figuresOf(run(name, scenario)).ttftP95, name).toBeGreaterThanOrEqual(best * 0.98);
    }
  });

  it('fails the streams that a crash cuts, and sends what had no answer to another', () => {
    const scenario = scenarioOf(
      'events: [{ atSeconds: 30, replica: d1, becomes: crashed, toldAfterSeconds: 5 }]\nstreamed: 1',
    );
    for (const name of everybody) {
      const { failed, bounced, served } = run(name, { ...scenario, ignoreFirst: 0 });
      expect(failed, name).toBeLessThanOrEqual(bounced);
      expect(failed + served.reduce((sum, each) => sum + each, 0), name).toBe(250);
    }
  });

  it('has a newcomer only once it is there', () => {
    const scenario = scenarioOf('events: [{ atSeconds: 40, replica: d1, becomes: ready, coldSeconds: 2 }]');
    const { served, failed } = run('least-in-flight', { ...scenario, ignoreFirst: 0 });
    expect(served.every((each) => each > 0)).toBe(true);
    expect(failed).toBe(0);
  });

  it('counts what a newcomer is sent beyond its cap', () => {
    const scenario = scenarioOf('events: [{ atSeconds: 60, replica: d1, becomes: ready }]');
    expect(run('least-in-flight', { ...scenario, ignoreFirst: 0 }).overCap).toBeGreaterThan(0);
  });

  it('gives every policy a life before, where the scenario says so', () => {
    const scenario = { ...scenarioOf(), ignoreFirst: 0 };
    const [fresh, taught] = [run('round-robin', scenario), run('round-robin', { ...scenario, learnt: true })];
    expect(taught.ttftMs).toHaveLength(fresh.ttftMs.length);
  });

  it('finds requests within the SLO', () => {
    const scenario = scenarioOf();
    const generous = { ...scenario, slo: { ttftSeconds: 1e6, perTokenSeconds: 1e6 } };
    const hard = { ...scenario, slo: { ttftSeconds: 0.001, perTokenSeconds: 0.1 } };
    expect([generous, hard].map((each) => run('random', each).goodRatio)).toEqual([1, 0]);
  });
});

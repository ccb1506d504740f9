import { describe, expect, it } from 'vitest';
import { plotSvg } from './plot-svg.js';
import { printOverview, printTable } from './print-table.js';
import { leastInFlight, roundRobin } from './rivals/simple-rivals.js';
import { figuresOf, type RunFigures, runScenario } from './run-scenario.js';
import { parseScenario } from './scenario/read-scenario.js';
import { bestRival, summarise } from './summarise.js';

const scenario = parseScenario(
  [
    'name: sample',
    'requests: 40',
    'ignoreFirst: 10',
    'fleet: [{ card: rtx2080, deployment: a }, { card: big, deployment: b }]',
    'load: { ofCapacity: 0.5 }',
    'prompt: { lognormal: { median: 400, sigma: 1, most: 4000 } }',
    'answer: { lognormal: { median: 60, sigma: 0.9, most: 500 } }',
  ].join('\n'),
  'sample',
);

/** A run of which only the p95 TTFT matters. */
function runOf(ttftP95: number, more: Partial<RunFigures> = {}): RunFigures {
  const empty = { ttftMs: new Float64Array([1]), totalMs: new Float64Array([1]), served: [3, 1] };
  const counts = { failed: 0, preemptions: 0, overCap: 0, bounced: 0, goodRatio: 1 };
  return { ...figuresOf({ ...empty, ...counts }), ttftP95, ...more };
}

const summaries = summarise({
  scenario,
  runs: new Map([
    ['ours', [runOf(1), runOf(2, { served: [1, 3] })]],
    ['oracle', [runOf(1), runOf(2)]],
    ['round-robin', [runOf(4), runOf(8, { failed: 3 })]],
    ['random', [runOf(2), runOf(4)]],
  ]),
});

describe('the summary of a scenario', () => {
  it('sets us beside each policy, seed by seed', () => {
    expect(summaries.map(({ policy, oursOverThis }) => [policy, oursOverThis?.ratio])).toEqual([
      ['ours', expect.closeTo(1)],
      ['oracle', expect.closeTo(1)],
      ['round-robin', expect.closeTo(0.25)],
      ['random', expect.closeTo(0.5)],
    ]);
  });

  it('averages the rest, shares too', () => {
    expect(summaries[0]?.served).toEqual([2, 2]);
    expect(summaries[2]?.failed).toBe(1.5);
  });

  it('knows the best rival, and the oracle is none', () => {
    expect(bestRival(summaries, ['round-robin', 'random'])?.policy).toBe('random');
    expect(bestRival(summaries, ['llm-d'])).toBeNull();
  });

  it('counts a request that failed in percentiles alone', () => {
    const counts = { failed: 1, preemptions: 0, overCap: 0, bounced: 0, goodRatio: 0.5, served: [1] };
    const times = new Float64Array([1_000, Number.NaN]);
    const { ttftMean, ttftP50, ttftP99 } = figuresOf({ ttftMs: times, totalMs: times, ...counts });
    expect([ttftMean, ttftP50, ttftP99]).toEqual([1, 1, 600]);
  });
});

describe('the table of a scenario', () => {
  it('tells the load, and a line for each policy', () => {
    const lines = printTable(scenario, 2, summaries).split('\n');
    expect(lines[0]).toMatch(
      /^sample: 2 replicas, \d+\.\d+ requests\/s \(50 % of capacity\), 2 seeds × 30 requests$/,
    );
    expect(lines[4]).toMatch(/^ {2}round-robin .* 75 25 +0\.25 \(0\.25 to 0\.25\) +4\.00$/);
  });
});

describe('the overview of all scenarios', () => {
  it('sets us beside the best rival, the oracle and least in-flight', () => {
    const rivals = ['round-robin', 'random'];
    expect(printOverview([{ name: 'sample', summaries }], rivals).split('\n')[1]).toMatch(
      /^sample +0\.50 \(0\.50 to 0\.50\) +random +1\.00 \(1\.00 to 1\.00\)$/,
    );
  });
});

describe('the plot', () => {
  it('has a row for each scenario and a mark for each policy', () => {
    const svg = plotSvg([{ name: 'sample <1>', summaries }]);
    expect(svg).toContain('sample &lt;1>');
    expect(svg.match(/fill-opacity/g)).toHaveLength(4);
    expect(svg).not.toContain('NaN');
  });

  it('leaves out what the oracle did not run in', async () => {
    const policies = [roundRobin, leastInFlight];
    const runs = await runScenario(scenario, policies, [1, 2], () => Promise.resolve());
    const alone = summarise(runs);
    expect(alone.map(({ oursOverThis, overOracle }) => [oursOverThis, overOracle])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(plotSvg([{ name: 'sample', summaries: alone }])).not.toContain('fill-opacity');
  });
});

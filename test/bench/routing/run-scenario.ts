import { mean, percentile } from '../statistics.js';
import type { NamedPolicy } from './lab-policy.js';
import type { Scenario } from './scenario/scenario.js';
import { type RunResult, simulate } from './simulate.js';

/** What one run of a policy gave. Seconds. */
export interface RunFigures {
  readonly ttftMean: number;
  readonly ttftP50: number;
  readonly ttftP95: number;
  readonly ttftP99: number;
  readonly totalMean: number;
  readonly totalP50: number;
  readonly totalP95: number;
  readonly totalP99: number;
  /** Share of the requests within the scenario's SLO. */
  readonly good: number;
  readonly failed: number;
  readonly bounced: number;
  readonly preemptions: number;
  readonly overCap: number;
  readonly served: readonly number[];
}

/** All runs of a scenario: by policy, one for each seed, in the same order. */
export interface ScenarioRuns {
  readonly scenario: Scenario;
  readonly runs: ReadonlyMap<string, readonly RunFigures[]>;
}

/** @param turn is awaited between runs: whoever waits for something else gets to it */
export async function runScenario(
  scenario: Scenario,
  policies: readonly NamedPolicy[],
  seeds: readonly number[],
  turn: () => Promise<void>,
): Promise<ScenarioRuns> {
  const runs = new Map<string, RunFigures[]>(policies.map(({ name }) => [name, []]));
  for (const seed of seeds) {
    for (const policy of policies) {
      runs.get(policy.name)?.push(figuresOf(simulate(scenario, policy, seed)));
      await turn();
    }
  }
  return { scenario, runs };
}

/** What a request that failed counts as in percentiles: the deadline of a whole request. Means leave it out. */
const FAILED_SECONDS = 600;

export function figuresOf(result: RunResult): RunFigures {
  const ttft = secondsOf(result.ttftMs);
  const total = secondsOf(result.totalMs);
  const { failed, bounced, preemptions, overCap, served } = result;
  return {
    ttftMean: meanOf(result.ttftMs),
    ttftP50: percentile(ttft, 0.5),
    ttftP95: percentile(ttft, 0.95),
    ttftP99: percentile(ttft, 0.99),
    totalMean: meanOf(result.totalMs),
    totalP50: percentile(total, 0.5),
    totalP95: percentile(total, 0.95),
    totalP99: percentile(total, 0.99),
    good: result.goodRatio,
    ...{ failed, bounced, preemptions, overCap, served },
  };
}

function secondsOf(values: Float64Array): number[] {
  return Array.from(values, (ms) => (Number.isNaN(ms) ? FAILED_SECONDS : ms / 1_000));
}

function meanOf(values: Float64Array): number {
  return (mean([...values].filter((ms) => !Number.isNaN(ms))) ?? Number.NaN) / 1_000;
}

import { existsSync } from 'node:fs';
import { BenchUsageError } from '../bench.js';
import type { NamedPolicy } from './lab-policy.js';
import { policies } from './policies.js';
import { nearest } from './scenario/nearest.js';
import { readScenario, ScenarioError } from './scenario/read-scenario.js';
import type { Scenario } from './scenario/scenario.js';
import { shippedScenarios } from './shipped-scenarios.js';

const DEFAULT_SEEDS = 20;
const MOST = 1_000_000;

/** What was asked for on the command line. */
export interface RoutingPlan {
  readonly scenarios: readonly Scenario[];
  readonly policies: readonly NamedPolicy[];
  readonly seeds: number;
  /** Where the plot goes; `null`: nothing was said. */
  readonly plot: string | null;
  /** How long each policy is tried through the gateway; 0: not at all. */
  readonly checkSeconds: number;
  /** Nothing was left out: all scenarios with all policies. */
  readonly isWhole: boolean;
  seedsOf(scenario: Scenario): number[];
}

/** @throws BenchUsageError */
export function readPlan(options: Readonly<Record<string, string>>): RoutingPlan {
  const seeds = wholeNumber(options, 'seeds', 1) ?? DEFAULT_SEEDS;
  const seed = wholeNumber(options, 'seed', 0);
  const requests = wholeNumber(options, 'requests', 1);
  const scenarios = readScenarios(options['scenario']).map((scenario) => withRequests(scenario, requests));
  return {
    scenarios,
    ...{ policies: readPolicies(options['policies']), seeds },
    plot: options['plot'] ?? null,
    checkSeconds: wholeNumber(options, 'check', 1) ?? 0,
    isWhole: options['scenario'] === undefined && options['policies'] === undefined,
    seedsOf: (scenario) => Array.from({ length: seeds }, (_, index) => (seed ?? scenario.seed) + index),
  };
}

function readScenarios(asked: string | undefined): Scenario[] {
  const shipped = shippedScenarios();
  try {
    if (asked === undefined) return [...shipped.values()].map(readScenario);
    const file = shipped.get(asked) ?? asked;
    if (existsSync(file)) return [readScenario(file)];
  } catch (error) {
    if (error instanceof ScenarioError) throw new BenchUsageError(error.message);
    throw error;
  }
  const names = [...shipped.keys()];
  const meant = nearest(asked, names);
  const hint = meant === null ? `there are ${names.join(', ')}` : `do you mean ${meant}?`;
  throw new BenchUsageError(
    `--scenario: ${asked} is neither a file nor the name of one that comes along; ${hint}`,
  );
}

function withRequests(scenario: Scenario, requests: number | null): Scenario {
  if (requests === null) return scenario;
  if (requests <= scenario.ignoreFirst) {
    const { name, ignoreFirst } = scenario;
    throw new BenchUsageError(
      `--requests: the first ${ignoreFirst} of ${name} do not count, ${requests} are too few`,
    );
  }
  return { ...scenario, requests };
}

function readPolicies(asked: string | undefined): readonly NamedPolicy[] {
  if (asked === undefined) return policies;
  const names = policies.map(({ name }) => name);
  return asked.split(',').map((name) => {
    const policy = policies.find((each) => each.name === name.trim());
    if (policy !== undefined) return policy;
    throw new BenchUsageError(`--policies: ${name} is not known; there are ${names.join(', ')}`);
  });
}

function wholeNumber(options: Readonly<Record<string, string>>, name: string, least: number): number | null {
  const text = options[name];
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= MOST) return value;
  throw new BenchUsageError(`--${name}: expected a whole number from ${least} to ${MOST}, found ${text}`);
}

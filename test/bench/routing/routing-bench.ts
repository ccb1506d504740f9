import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Bench, type BenchContext, BenchUsageError, type LeftOut, type Measured } from '../bench.js';
import { Rounds } from '../rounds.js';
import { agrees, type CheckedPolicy, checkAgainstGateway } from './gateway-check.js';
import { measureLearning } from './learning.js';
import { ours } from './ours.js';
import { plotSvg } from './plot-svg.js';
import { rivalNames } from './policies.js';
import { printOverview, printTable } from './print-table.js';
import { RouterLoad } from './router-load.js';
import { type RoutingPlan, readPlan } from './routing-plan.js';
import { runScenario, type ScenarioRuns } from './run-scenario.js';
import { bestRival, type PolicySummary, type ShownScenario, summarise } from './summarise.js';

const LEDGER_STEPS = 1_000_000;
const DECISION_ROUNDS = 5;
const LEARNING = 'three-unequal-70';
const CHECKED = 'three-unequal-70';
/** Unequal fleets at 70 % of what they can serve, whose load is all ours. */
const UNEQUAL_70 = ['two-unequal', 'three-unequal-70', 'five-unequal', 'wide', 'models-mixed'];
const BOUND = 'upper bound of the 95 % interval, worst scenario';

export const routingBench: Bench = {
  name: 'routing',
  measures: 'the router against policies that a user could pick instead, in simulated fleets',
  figures: [
    {
      name: 'ttft_p95_vs_best_rival',
      meaning: `p95 TTFT beside the best rival of each scenario: ${BOUND}`,
      limit: { atMost: 1.05 },
      from: 'greatest',
    },
    {
      name: 'ttft_p95_vs_oracle',
      meaning: `p95 TTFT beside the oracle, unequal fleets at 70 % load: ${BOUND}`,
      limit: { atMost: 1.15 },
      from: 'greatest',
    },
    {
      name: 'ttft_p95_vs_least_inflight',
      meaning: `p95 TTFT beside least in-flight, unequal fleets at 70 % load: ${BOUND}`,
      limit: { atMost: 0.65 },
      from: 'greatest',
    },
    {
      name: 'learned_within_requests',
      meaning: 'requests until mean TTFT stays within 10 % of that of a router that knows the fleet',
      limit: { atMost: 200 },
      from: 'greatest',
    },
    { name: 'wake_failed', meaning: 'requests failed after a wake', limit: { atMost: 0 }, from: 'greatest' },
    {
      name: 'wake_over_cap',
      meaning: 'requests sent to a newcomer beyond 1, 2, 4 … with each answer that begins',
      limit: { atMost: 0 },
      from: 'greatest',
    },
    {
      name: 'decision_us_20',
      meaning: 'one selection and claim among 20 replicas',
      limit: { atMost: 20 },
      from: 'median',
    },
    {
      name: 'decision_us_1000',
      meaning: 'one selection and claim among 1000 replicas',
      limit: { atMost: 500 },
      from: 'median',
    },
    {
      name: 'hold_us',
      meaning: 'coming to wait in the queue and leaving it, 200 waiting',
      limit: { atMost: 5 },
      from: 'median',
    },
    {
      name: 'ledger_mismatches',
      meaning: `counts that were wrong over ${LEDGER_STEPS} random starts, ends, aborts and crashes`,
      limit: { atMost: 0 },
      from: 'greatest',
    },
  ],
  options: [
    {
      name: 'scenario',
      value: 'FILE',
      meaning: 'this one only: a file, or the name of one that comes along',
    },
    { name: 'seed', value: 'N', meaning: "the first seed, in the scenario's place" },
    { name: 'seeds', value: 'N', meaning: 'how many, one after the other (20)' },
    { name: 'requests', value: 'N', meaning: "of each run, in the scenario's place" },
    { name: 'policies', value: 'A,B', meaning: 'these only' },
    {
      name: 'check',
      value: 'SECONDS',
      meaning:
        'also serve simulated vLLM servers through the real gateway, for so long with each of three policies',
    },
    { name: 'plot', value: 'FILE.svg', meaning: 'where the plot goes' },
  ],
  run: runRoutingBench,
};

async function runRoutingBench(context: BenchContext): Promise<Measured> {
  const plan = readPlan(context.options);
  const rounds = new Rounds();
  const plotted: ShownScenario[] = [];
  for (const scenario of plan.scenarios) {
    context.progress(scenario.name);
    const runs = await runScenario(scenario, plan.policies, plan.seedsOf(scenario), () => setImmediate());
    const summaries = summarise(runs);
    context.show(printTable(scenario, plan.seeds, summaries));
    plotted.push({ name: scenario.name, summaries });
    addScenario(rounds, runs, summaries);
  }
  context.show(printOverview(plotted, rivalNames));
  const plot = writePlot(plan, plotted);
  if (plan.isWhole) await measureRouter(context, plan, rounds);
  const notes = await check(context, plan, rounds);
  const leftOut = plan.isWhole ? [] : partly(rounds);
  return { rounds: rounds.all, leftOut, notes: [`plot: ${plot}`, ...notesOf(plan), ...notes] };
}

function addScenario(
  rounds: Rounds,
  { scenario, runs }: ScenarioRuns,
  summaries: readonly PolicySummary[],
): void {
  const beside = (policy: string): number | null =>
    summaries.find((summary) => summary.policy === policy)?.oursOverThis?.high ?? null;
  const add = (figure: string, value: number | null | undefined): void => {
    if (typeof value === 'number' && Number.isFinite(value)) rounds.add(figure, value);
  };
  add('ttft_p95_vs_best_rival', bestRival(summaries, rivalNames)?.oursOverThis?.high);
  if (UNEQUAL_70.includes(scenario.name)) {
    add('ttft_p95_vs_oracle', beside('oracle'));
    add('ttft_p95_vs_least_inflight', beside('least-in-flight'));
  }
  if (scenario.name !== 'waking') return;
  for (const run of runs.get(ours.name) ?? []) {
    rounds.add('wake_failed', run.failed);
    rounds.add('wake_over_cap', run.overCap);
  }
}

async function measureRouter(context: BenchContext, plan: RoutingPlan, rounds: Rounds): Promise<void> {
  const learning = plan.scenarios.find(({ name }) => name === LEARNING);
  if (learning !== undefined) {
    context.progress('learning from nothing');
    const seeds = plan.seedsOf(learning);
    const scenario = { ...learning, requests: Math.min(600, learning.requests) };
    const { ratios, within } = await measureLearning(scenario, ours, seeds, () => setImmediate());
    rounds.add('learned_within_requests', within);
    for (const ratio of ratios) rounds.add('learning_ttft_ratio_by_100', ratio);
  }
  context.progress('what a decision costs');
  for (const replicas of [20, 1000]) {
    const load = new RouterLoad(replicas);
    load.decisionMicros();
    for (let round = 0; round < DECISION_ROUNDS; round += 1) {
      rounds.add(`decision_us_${replicas}`, load.decisionMicros());
      await setImmediate();
    }
  }
  const queue = new RouterLoad(3);
  queue.holdMicros();
  for (let round = 0; round < DECISION_ROUNDS; round += 1) rounds.add('hold_us', queue.holdMicros());
  context.progress(`${LEDGER_STEPS} random steps`);
  rounds.add('ledger_mismatches', new RouterLoad(5).ledgerMismatches(LEDGER_STEPS));
}

/** @returns what to say of it */
async function check(context: BenchContext, plan: RoutingPlan, rounds: Rounds): Promise<string[]> {
  const scenario = plan.scenarios.find(({ name }) => name === CHECKED) ?? plan.scenarios[0];
  if (plan.checkSeconds === 0 || scenario === undefined) return [];
  const checked = await checkAgainstGateway(context, scenario, plan.checkSeconds);
  for (const { policy, simulated, measured } of checked) {
    rounds.add(`check_simulated_p95_s_${policy}`, simulated);
    rounds.add(`check_gateway_p95_s_${policy}`, measured);
  }
  const verdict = agrees(checked) ? 'the same order of policies' : 'ANOTHER ORDER of policies';
  return [`${scenario.name} through the gateway: ${verdict} (${checked.map(describeChecked).join('; ')})`];
}

function describeChecked({ policy, simulated, measured, failed }: CheckedPolicy): string {
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  return `${policy}: p95 TTFT ${measured.toFixed(2)} s, simulated ${simulated.toFixed(2)} s${failures}`;
}

function writePlot({ plot }: RoutingPlan, plotted: readonly ShownScenario[]): string {
  const file = plot === null ? join(tmpdir(), 'ai-fabric-routing.svg') : resolve(plot);
  try {
    writeFileSync(file, plotSvg(plotted));
  } catch (error) {
    throw new BenchUsageError(`--plot: ${error instanceof Error ? error.message : String(error)}`);
  }
  return file;
}

function partly(rounds: Rounds): LeftOut[] {
  return routingBench.figures
    .filter(({ name }) => rounds.of(name) === undefined)
    .map(({ name }) => ({ figure: name, reason: 'not part of what was asked for' }));
}

function notesOf({ seeds, isWhole }: RoutingPlan): string[] {
  const bounds = seeds < 2 ? ['one seed has no interval: no ratio is a figure'] : [];
  return isWhole ? bounds : [...bounds, 'figures hold for what was asked for, not for all scenarios'];
}

import type { BoundedRatio } from '../confidence.js';
import { at } from './at.js';
import { pairedRatio } from './paired-ratio.js';
import type { RunFigures, ScenarioRuns } from './run-scenario.js';

/** One policy in one scenario: means over the runs, and how we stand beside it. */
export interface PolicySummary extends RunFigures {
  readonly policy: string;
  /** Our p95 TTFT ÷ this one's; `null`: we did not run. */
  readonly oursOverThis: BoundedRatio | null;
  /** This one's p95 TTFT ÷ the oracle's; `null`: it did not run. */
  readonly overOracle: BoundedRatio | null;
}

/** A scenario with what its policies came to. */
export interface ShownScenario {
  readonly name: string;
  readonly summaries: readonly PolicySummary[];
}

export function summarise({ runs }: ScenarioRuns): PolicySummary[] {
  const ours = runs.get('ours');
  const oracle = runs.get('oracle');
  return [...runs].map(([policy, figures]) => ({
    policy,
    ...meanFigures(figures),
    oursOverThis: ours === undefined ? null : pairedRatio(p95s(ours), p95s(figures)),
    overOracle: oracle === undefined ? null : pairedRatio(p95s(figures), p95s(oracle)),
  }));
}

/** The rival with the least p95 TTFT, over all seeds together. `null` where none ran. */
export function bestRival(
  summaries: readonly PolicySummary[],
  rivals: readonly string[],
): PolicySummary | null {
  const ran = summaries.filter(
    ({ policy, oursOverThis }) => rivals.includes(policy) && oursOverThis !== null,
  );
  return ran.reduce<PolicySummary | null>((best, each) => {
    if (best === null) return each;
    // The more we take of its time, the less it takes.
    return (each.oursOverThis?.ratio ?? 0) > (best.oursOverThis?.ratio ?? 0) ? each : best;
  }, null);
}

function p95s(figures: readonly RunFigures[]): number[] {
  return figures.map(({ ttftP95 }) => ttftP95);
}

function meanFigures(figures: readonly RunFigures[]): RunFigures {
  const over = (pick: (run: RunFigures) => number): number =>
    figures.reduce((sum, run) => sum + pick(run), 0) / figures.length;
  return {
    ttftMean: over(({ ttftMean }) => ttftMean),
    ttftP50: over(({ ttftP50 }) => ttftP50),
    ttftP95: over(({ ttftP95 }) => ttftP95),
    ttftP99: over(({ ttftP99 }) => ttftP99),
    totalMean: over(({ totalMean }) => totalMean),
    totalP50: over(({ totalP50 }) => totalP50),
    totalP95: over(({ totalP95 }) => totalP95),
    totalP99: over(({ totalP99 }) => totalP99),
    good: over(({ good }) => good),
    failed: over(({ failed }) => failed),
    bounced: over(({ bounced }) => bounced),
    preemptions: over(({ preemptions }) => preemptions),
    overCap: over(({ overCap }) => overCap),
    served: at(figures, 0).served.map((_, replica) => over(({ served }) => served[replica] ?? 0)),
  };
}

import { alignColumns } from '../bench-report.js';
import type { BoundedRatio } from '../confidence.js';
import type { Scenario } from './scenario/scenario.js';
import { bestRival, type PolicySummary, type ShownScenario } from './summarise.js';

const HEAD = [
  ...['policy', 'ttft s mean', 'p50', 'p95', 'p99', 'total s mean', 'p50', 'p95', 'p99', 'good %'],
  ...['failed', 'preempted', 'shares %', 'ours/this p95 ttft (95 %)', 'this/oracle'],
];

/** A scenario's table, for people. */
export function printTable(scenario: Scenario, seeds: number, summaries: readonly PolicySummary[]): string {
  const { name, fleet, requestsPerSecond, requests, ignoreFirst } = scenario;
  const capacity = fleet.reduce((sum, { capacityPerSecond }) => sum + capacityPerSecond, 0);
  const load = Math.round((requestsPerSecond / capacity) * 100);
  const about =
    `${name}: ${fleet.length} replicas, ${requestsPerSecond.toFixed(2)} requests/s (${load} % of capacity), ` +
    `${seeds} ${seeds === 1 ? 'seed' : 'seeds'} × ${requests - ignoreFirst} requests`;
  return [about, ...alignColumns([HEAD, ...summaries.map(rowOf)]).map((line) => `  ${line}`), ''].join('\n');
}

/** How our p95 TTFT stands beside others in each scenario, for people. */
export function printOverview(scenarios: readonly ShownScenario[], rivals: readonly string[]): string {
  const rows = scenarios.map(({ name, summaries }) => {
    const best = bestRival(summaries, rivals);
    const beside = (policy: string): string =>
      describeRatio(summaries.find((summary) => summary.policy === policy)?.oursOverThis ?? null);
    const rival = describeRatio(best?.oursOverThis ?? null);
    return [name, rival, best?.policy ?? '', beside('oracle'), beside('least-in-flight')];
  });
  const head = ['our p95 ttft ÷', 'best rival', '', 'oracle', 'least-in-flight'];
  return [...alignColumns([head, ...rows]), ''].join('\n');
}

function rowOf(summary: PolicySummary): string[] {
  const { ttftMean, ttftP50, ttftP95, ttftP99, totalMean, totalP50, totalP95, totalP99 } = summary;
  const all = summary.served.reduce((sum, served) => sum + served, 0);
  const shares = summary.served.map((served) => Math.round((served / Math.max(1, all)) * 100));
  return [
    summary.policy,
    ...[ttftMean, ttftP50, ttftP95, ttftP99].map((seconds) => seconds.toFixed(3)),
    ...[totalMean, totalP50, totalP95, totalP99].map((seconds) => seconds.toFixed(2)),
    (summary.good * 100).toFixed(1),
    summary.failed.toFixed(1),
    summary.preemptions.toFixed(1),
    shares.length > 8 ? `${Math.min(...shares)} to ${Math.max(...shares)}` : shares.join(' '),
    summary.policy === 'ours' ? '' : describeRatio(summary.oursOverThis),
    summary.policy === 'oracle' || summary.overOracle === null ? '' : summary.overOracle.ratio.toFixed(2),
  ];
}

function describeRatio(ratio: BoundedRatio | null): string {
  if (ratio === null) return '';
  const high = Number.isFinite(ratio.high)
    ? `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`
    : 'one run';
  return `${ratio.ratio.toFixed(2)} (${high})`;
}

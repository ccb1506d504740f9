import { beforeAll, describe, expect, test } from 'vitest';
import { type DashboardExpression, readDashboard } from '../harness/dashboard.js';
import { readFullMetrics } from '../harness/metrics-fabric.js';

/** Labels that Prometheus itself puts to what it scrapes. */
const SCRAPED = ['job', 'instance'];

/** Node's own, for whoever looks for them: the panels of memory, CPU and event loop tell the same in short. */
const LEFT_OUT: readonly string[] = [
  ...['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}`),
  ...['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map(
    (which) => `nodejs_eventloop_lag_${which}seconds`,
  ),
  ...['available', 'total', 'used'].map((what) => `nodejs_heap_space_size_${what}_bytes`),
  ...['nodejs_heap_size_total_bytes', 'nodejs_external_memory_bytes', 'nodejs_gc_duration_seconds'],
  ...['process_cpu_system_seconds_total', 'process_cpu_user_seconds_total', 'process_start_time_seconds'],
  ...['process_heap_bytes', 'process_virtual_memory_bytes', 'process_open_fds', 'process_max_fds'],
  'nodejs_version_info',
  // For who recomputes a decision; a chart of them says nothing.
  ...['unread_prompts', 'bytes_per_token'].map((what) => `ai_fabric_target_${what}`),
];

describe("Grafana's dashboard", () => {
  const dashboard = readDashboard();
  let text: string;
  /** By the name of each metric that has a line: its labels. */
  let labels: Map<string, ReadonlySet<string>>;

  beforeAll(async () => {
    text = await readFullMetrics();
    labels = labelsByMetric(text);
  }, 120_000);

  const everywhere = (check: (each: DashboardExpression, metrics: readonly string[]) => readonly string[]) =>
    [...dashboard.expressions, ...dashboard.variables].flatMap((each) => {
      const metrics = each.expression.match(/\b(ai_fabric|process|nodejs)_\w+/g) ?? [];
      return check(each, metrics).map((fault) => `${each.panel}: ${fault}`);
    });

  test('asks for nothing that /metrics does not have', () => {
    const unknown = everywhere(({ expression }, metrics) =>
      metrics.length === 0 ? [`no metric in ${expression}`] : metrics.filter((metric) => !labels.has(metric)),
    );
    expect(unknown).toEqual([]);
    expect(dashboard.expressions.length).toBeGreaterThan(30);
  });

  test('shows each metric, but for those that are left out on purpose', () => {
    const shown = [...dashboard.expressions, ...dashboard.variables].flatMap(
      ({ expression }) => expression.match(/\b(ai_fabric|process|nodejs)_\w+/g) ?? [],
    );
    const families = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, family = '']) => family);
    const isShown = (family: string) => shown.includes(family) || shown.includes(`${family}_bucket`);
    expect(families.filter((family) => !isShown(family) && !LEFT_OUT.includes(family))).toEqual([]);
    expect(LEFT_OUT.filter(isShown)).toEqual([]);
    expect(families.length).toBeGreaterThan(60);
  });

  test('selects and groups by labels that its metrics have', () => {
    const unknown = everywhere(({ expression }, metrics) => {
      const known = new Set([...SCRAPED, ...metrics.flatMap((metric) => [...(labels.get(metric) ?? [])])]);
      return namedLabels(expression).filter((label) => !known.has(label));
    });
    expect(unknown).toEqual([]);
  });

  test('is spared names that clients made up', () => {
    // The fabric was asked for it: its series is that of no role.
    expect(text).toContain('ai_fabric_requests_total{role="",target="",outcome="client_error"} 1');
    expect(text).not.toContain('no-such-model');
  });

  test('numbers its panels once', () => {
    expect(new Set(dashboard.panelIds).size).toBe(dashboard.panelIds.length);
  });
});

function labelsByMetric(text: string): Map<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [, name, list = ''] = /^([a-z]\w*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = found.get(name) ?? new Set<string>();
    for (const [, label = ''] of list.matchAll(/(\w+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

/** In selectors, after `by`, and in `label_values(metric, label)`. */
function namedLabels(expression: string): string[] {
  const selected = [...expression.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label);
  const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */));
  const asked = [...expression.matchAll(/label_values\(\w+, (\w+)\)/g)].map(([, label = '']) => label);
  return [...selected, ...grouped, ...asked];
}

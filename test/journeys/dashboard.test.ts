import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BootedFabric } from '../harness/boot-fabric.js';
import { type DashboardExpression, readDashboard } from '../harness/dashboard.js';
import { bootMetricsFabric, readMetrics } from '../harness/metrics-fabric.js';

/** Labels that Prometheus itself puts to what it scrapes. */
const SCRAPED = ['job', 'instance'];

describe("Grafana's dashboard", () => {
  const dashboard = readDashboard();
  let fabric: BootedFabric;
  let text: string;
  /** By the name of each metric that has a line: its labels. */
  let labels: Map<string, ReadonlySet<string>>;

  beforeAll(async () => {
    fabric = await bootMetricsFabric();
    text = await readMetrics(fabric);
    labels = labelsByMetric(text);
  });
  afterAll(() => fabric?.close());

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

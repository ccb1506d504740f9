import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FILE = fileURLToPath(new URL('../../docs/grafana/ai-fabric.json', import.meta.url));

const dashboardSchema = z.object({
  templating: z.object({
    list: z.array(
      z.object({ name: z.string(), query: z.union([z.string(), z.object({ query: z.string() })]) }),
    ),
  }),
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      targets: z.array(z.object({ expr: z.string() })).optional(),
    }),
  ),
});

export interface DashboardExpression {
  readonly panel: string;
  readonly expression: string;
}

export interface Dashboard {
  /** With its variables and intervals filled in: what Grafana would ask Prometheus for. */
  readonly expressions: readonly DashboardExpression[];
  /** What its variables ask for, as `label_values(metric, label)`. */
  readonly variables: readonly DashboardExpression[];
  readonly panelIds: readonly number[];
}

export function readDashboard(): Dashboard {
  const { panels, templating } = dashboardSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
  return {
    panelIds: panels.map(({ id }) => id),
    expressions: panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ panel: title, expression: fillIn(expr) })),
    ),
    variables: templating.list.flatMap(({ name, query }) =>
      typeof query === 'string' ? [] : [{ panel: `variable ${name}`, expression: query.query }],
    ),
  };
}

function fillIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*');
}

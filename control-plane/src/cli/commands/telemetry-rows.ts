import type { z } from 'zod';
import type { hostTelemetrySchema } from '../../api/telemetry-schemas.js';

type Telemetry = z.infer<typeof hostTelemetrySchema>;
type Point = Telemetry['points'][number];
type Value = NonNullable<Point['host']>[string];

/** A column of the table: a field of the host, of one card or of one replica. */
interface Column {
  readonly head: string;
  readonly field: string;
  readValue(point: Point): Value | undefined;
}

const MINUTE_MS = 60_000;

/** The means as a table, a row for each point, a column for each field that any of them has. Times are UTC. */
export function telemetryRows(telemetry: Telemetry): { heads: string[]; rows: string[][] } {
  const columns = findColumns(telemetry.points);
  const throttled = telemetry.points.some((point) => reasonsOf(point) !== '');
  const rows = telemetry.points.map((point) => [
    timeText(point.atMs, telemetry.stepMs),
    point.backfilled ? `${point.state}, backfilled` : point.state,
    ...columns.map((column) => valueText(column.field, column.readValue(point)?.avg ?? null)),
    ...(throttled ? [reasonsOf(point) || '-'] : []),
  ]);
  const heads = [
    'TIME (UTC)',
    'STATE',
    ...columns.map(({ head }) => head),
    ...(throttled ? ['THROTTLED'] : []),
  ];
  return { heads, rows };
}

function findColumns(points: readonly Point[]): Column[] {
  const columns = new Map<string, Column>();
  const add = (key: string, column: Column): void => {
    if (!columns.has(key)) columns.set(key, column);
  };
  const cards = [...new Set(points.flatMap((point) => Object.keys(point.gpus)))].sort();
  for (const point of points) {
    for (const field of Object.keys(point.host ?? {})) {
      add(`1 ${field}`, { head: field, field, readValue: (each) => each.host?.[field] });
    }
    for (const [card, { values }] of Object.entries(point.gpus)) {
      // One card needs no name; several have numbers in the order of their UUIDs.
      const prefix = cards.length === 1 ? '' : `card ${cards.indexOf(card) + 1} `;
      for (const field of Object.keys(values)) {
        const readValue = (each: Point) => each.gpus[card]?.values[field];
        add(`2 ${card} ${field}`, { head: `${prefix}${field}`, field, readValue });
      }
    }
    for (const [deployment, values] of Object.entries(point.replicas)) {
      for (const field of Object.keys(values)) {
        const readValue = (each: Point) => each.replicas[deployment]?.[field];
        add(`3 ${deployment} ${field}`, { head: `${deployment} ${field}`, field, readValue });
      }
    }
  }
  return [...columns].sort(([a], [b]) => Number(a[0]) - Number(b[0])).map(([, column]) => column);
}

function reasonsOf(point: Point): string {
  const reasons = Object.values(point.gpus).flatMap(({ throttleReasons }) => throttleReasons ?? []);
  // A card that has nothing to do is not held back by anything.
  return [...new Set(reasons)].filter((reason) => reason !== 'idle').join(', ');
}

function timeText(atMs: number, stepMs: number): string {
  const text = new Date(atMs).toISOString().replace('T', ' ');
  return text.slice(0, stepMs % MINUTE_MS === 0 ? 16 : 19);
}

function valueText(field: string, value: number | null): string {
  if (value === null) return '-';
  if (field.endsWith('Ratio')) return `${Math.round(value * 100)} %`;
  if (field.endsWith('BytesPerSecond')) return `${(value / 1024 ** 2).toFixed(1)} MiB/s`;
  if (field.endsWith('Bytes')) return `${(value / 1024 ** 3).toFixed(1)} GiB`;
  if (field.endsWith('Seconds')) return `${(value * 1_000).toFixed(0)} ms`;
  return String(Math.round(value * 10) / 10);
}

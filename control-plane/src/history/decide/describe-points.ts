import type { CardPoint, FieldPoint, Stretch, TelemetryPoint } from '../telemetry-answer.js';
import type { AbsenceStretch } from './absence-stretches.js';
import { nameThrottleReasons } from './name-throttle-reasons.js';
import type { FieldColumns, PointGrid, SeriesColumns } from './point-table.js';

const NONE: FieldPoint = { avg: null, min: null, max: null, last: null };

/** When the host is known to have reported, although no values of so short a time are kept. */
export type KnownToReport = (atMs: number) => boolean;

/**
 * The points of a chart as they are answered: missing stays missing, and says why where that is known. A point
 * without values is `reporting` all the same where `knownToReport` says so.
 */
export function describePoints(
  grid: PointGrid,
  columns: readonly SeriesColumns[],
  absences: readonly AbsenceStretch[],
  knownToReport: KnownToReport,
): TelemetryPoint[] {
  const host = columns.find(({ kind }) => kind === 'host');
  const gpus = columns.filter(({ kind }) => kind === 'gpu');
  const replicas = columns.filter(({ kind }) => kind === 'replica');
  const unknownAt = (atMs: number) => (knownToReport(atMs) ? 'reporting' : 'silent');
  return Array.from({ length: grid.count }, (_, point): TelemetryPoint => {
    const atMs = grid.startMs + point * grid.stepMs;
    const samples = host?.samples[point] ?? 0;
    return {
      atMs,
      state: samples > 0 ? 'reporting' : (absenceAt(absences, atMs, grid.stepMs) ?? unknownAt(atMs)),
      samples,
      backfilled: (host?.backfilled[point] ?? 0) > 0,
      host: host && samples > 0 ? valuesAt(host.fields, point) : null,
      gpus: Object.fromEntries(presentAt(gpus, point).map((series) => [series.name, cardAt(series, point)])),
      replicas: Object.fromEntries(
        presentAt(replicas, point).map(({ name, fields }) => [name, valuesAt(fields, point)]),
      ),
    };
  });
}

/**
 * By coarser points, which reach further back: before `untilMs` the host reported wherever they hold a sample.
 *
 * @param laterSamples those of the last of these points that are of later than `untilMs`
 */
export function knownFrom(
  grid: PointGrid,
  columns: readonly SeriesColumns[],
  untilMs: number,
  laterSamples: number,
): KnownToReport {
  const samples = columns.find(({ kind }) => kind === 'host')?.samples ?? [];
  const last = Math.floor((untilMs - grid.startMs) / grid.stepMs);
  return (atMs) => {
    const point = Math.floor((atMs - grid.startMs) / grid.stepMs);
    return atMs < untilMs && (samples[point] ?? 0) > (point === last ? laterSamples : 0);
  };
}

/** Where the host was not there, and where points hold what came late: in order of time. */
export function describeStretches(
  grid: PointGrid,
  columns: readonly SeriesColumns[],
  absences: readonly AbsenceStretch[],
): Stretch[] {
  const stretches: Stretch[] = absences.map(({ state, fromMs, toMs, reason }) => ({
    ...{ kind: state, fromMs, toMs, reason },
  }));
  const backfilled = columns.find(({ kind }) => kind === 'host')?.backfilled ?? [];
  for (let point = 0; point < grid.count; point += 1) {
    if (!((backfilled[point] ?? 0) > 0)) continue;
    const first = point;
    while ((backfilled[point + 1] ?? 0) > 0) point += 1;
    const fromMs = grid.startMs + first * grid.stepMs;
    stretches.push({
      ...{ kind: 'backfilled', fromMs, toMs: grid.startMs + (point + 1) * grid.stepMs, reason: null },
    });
  }
  return stretches.sort((a, b) => a.fromMs - b.fromMs);
}

/** The state that covers most of an empty point. */
function absenceAt(
  absences: readonly AbsenceStretch[],
  atMs: number,
  stepMs: number,
): AbsenceStretch['state'] | null {
  let longest: AbsenceStretch['state'] | null = null;
  let longestMs = 0;
  for (const { state, fromMs, toMs } of absences) {
    const coveredMs = Math.min(toMs, atMs + stepMs) - Math.max(fromMs, atMs);
    if (coveredMs <= longestMs) continue;
    longest = state;
    longestMs = coveredMs;
  }
  return longest;
}

function presentAt(series: readonly SeriesColumns[], point: number): SeriesColumns[] {
  return series.filter(({ samples, fields }) => fields.length > 0 && (samples[point] ?? 0) > 0);
}

function cardAt({ fields, bits }: SeriesColumns, point: number): CardPoint {
  const mask = bits[point] ?? -1;
  return { values: valuesAt(fields, point), throttleReasons: mask < 0 ? null : nameThrottleReasons(mask) };
}

function valuesAt(fields: readonly FieldColumns[], point: number): Record<string, FieldPoint> {
  const values: Record<string, FieldPoint> = {};
  for (const { field, avg, min, max, last } of fields) {
    values[field] = Number.isNaN(avg[point])
      ? NONE
      : { avg: tidy(avg[point]), min: tidy(min[point]), max: tidy(max[point]), last: tidy(last[point]) };
  }
  return values;
}

/** Millionths are enough for a ratio or a second, whole ones for billions of bytes. */
function tidy(value = Number.NaN): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : Math.round(value);
}

import type { PointState, Stretch } from '../telemetry-answer.js';
import type { AbsenceStretch } from './absence-stretches.js';
import type { PointGrid, SeriesColumns } from './point-table.js';

/** When the host is known to have reported, although no values of so short a time are kept. */
export type KnownToReport = (atMs: number) => boolean;

/**
 * What each point of a chart is: one without samples says why, where that is known. It is `reporting` all the same where
 * `knownToReport` says so.
 */
export function describeStates(
  grid: PointGrid,
  columns: readonly SeriesColumns[],
  absences: readonly AbsenceStretch[],
  knownToReport: KnownToReport,
): PointState[] {
  const samples = columns.find(({ kind }) => kind === 'host')?.samples ?? [];
  return Array.from({ length: grid.count }, (_, point): PointState => {
    if ((samples[point] ?? 0) > 0) return 'reporting';
    const atMs = grid.startMs + point * grid.stepMs;
    return absenceAt(absences, atMs, grid.stepMs) ?? (knownToReport(atMs) ? 'reporting' : 'silent');
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

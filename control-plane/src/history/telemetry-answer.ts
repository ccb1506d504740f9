import type { AbsenceStretch } from './decide/absence-stretches.js';
import type { PointGrid, SeriesColumns } from './decide/point-table.js';

/** `reporting` with no samples: it did, and single samples of that time are not kept. `silent`: no sample, and the host did not say why nor was it noticed missing. */
export type PointState = 'reporting' | AbsenceStretch['state'] | 'silent';

export interface Stretch {
  readonly kind: AbsenceStretch['state'] | 'backfilled';
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string | null;
}

/** What a chart is drawn from. `encodeAnswer` makes JSON of it. */
export interface TelemetryAnswer {
  readonly host: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly grid: PointGrid;
  /** What it was made from. */
  readonly resolution: 'samples' | '1m' | '10m' | '2h';
  readonly notes: readonly string[];
  readonly stretches: readonly Stretch[];
  /** One for each point. */
  readonly states: readonly PointState[];
  readonly columns: readonly SeriesColumns[];
}

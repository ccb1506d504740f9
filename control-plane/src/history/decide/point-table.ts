import {
  BACKFILLED,
  BITS,
  type Bucket,
  COUNT,
  emptyBucket,
  fieldAt,
  LAST,
  MAX,
  MIN,
  mergeBucket,
  SAMPLES,
  SUM,
} from './bucket.js';
import { mergePacked, type PackedBucket } from './bucket-codec.js';
import { type SeriesKind, seriesKinds, telemetryFields } from './telemetry-fields.js';

/** Equal steps of time, side by side. */
export interface PointGrid {
  /** A multiple of `stepMs` since 1970. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

/** The fields that are asked for, by their places in `telemetryFields`. */
export type FieldSelection = Readonly<Record<SeriesKind, readonly number[]>>;

/** One field of one series, a value for each point; NaN where there is none. */
export interface FieldColumns {
  readonly field: string;
  readonly avg: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
}

export interface SeriesColumns {
  readonly kind: SeriesKind;
  readonly name: string;
  /** Samples in each point. */
  readonly samples: Float64Array;
  readonly backfilled: Float64Array;
  /** As `BITS` of a bucket. */
  readonly bits: Float64Array;
  readonly fields: readonly FieldColumns[];
}

interface Series {
  readonly kind: SeriesKind;
  readonly name: string;
  readonly points: (Bucket | undefined)[];
}

/** Puts buckets of any tier into the points of a chart. */
export class PointTable {
  readonly #grid: PointGrid;
  readonly #series = new Map<string, Series>();

  constructor(grid: PointGrid) {
    this.#grid = grid;
  }

  /** @param bucket is kept, and changed by what is added to its point later */
  add(kind: SeriesKind, name: string, startMs: number, bucket: Bucket): void {
    const point = this.#pointAt(startMs);
    if (point === null) return;
    const points = this.pointsOf(kind, name);
    const before = points[point];
    if (before) mergeBucket(before, bucket);
    else points[point] = bucket;
  }

  /** @param points of `pointsOf` @param wanted by field: the others are left out */
  addPacked(
    points: (Bucket | undefined)[],
    startMs: number,
    packed: PackedBucket,
    wanted: readonly boolean[],
  ): void {
    const point = this.#pointAt(startMs);
    if (point === null) return;
    let bucket = points[point];
    if (!bucket) {
      bucket = emptyBucket(wanted.length);
      points[point] = bucket;
    }
    mergePacked(bucket, packed, startMs, wanted);
  }

  /** The host first, then cards and replicas, each by name. */
  columns(selection: FieldSelection): SeriesColumns[] {
    const all = [...this.#series.values()].sort(
      (a, b) => seriesKinds.indexOf(a.kind) - seriesKinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
    );
    return all.map((series) => columnsOf(series, selection[series.kind], this.#grid.count));
  }

  #pointAt(startMs: number): number | null {
    const { startMs: gridStartMs, stepMs, count } = this.#grid;
    const point = Math.floor((startMs - gridStartMs) / stepMs);
    return point >= 0 && point < count ? point : null;
  }

  pointsOf(kind: SeriesKind, name: string): (Bucket | undefined)[] {
    const label = `${kind} ${name}`;
    let series = this.#series.get(label);
    if (!series) {
      series = { kind, name, points: new Array<Bucket | undefined>(this.#grid.count) };
      this.#series.set(label, series);
    }
    return series.points;
  }
}

function columnsOf({ kind, name, points }: Series, fields: readonly number[], count: number): SeriesColumns {
  const column = (): Float64Array => new Float64Array(count).fill(Number.NaN);
  const samples = new Float64Array(count);
  const backfilled = new Float64Array(count);
  const bits = new Float64Array(count).fill(-1);
  const columns = fields.map((field) => ({
    field: telemetryFields[kind][field] as string,
    ...{ avg: column(), min: column(), max: column(), last: column() },
  }));
  for (let point = 0; point < count; point += 1) {
    const bucket = points[point];
    if (!bucket) continue;
    samples[point] = bucket[SAMPLES] as number;
    backfilled[point] = bucket[BACKFILLED] as number;
    bits[point] = bucket[BITS] as number;
    for (let index = 0; index < fields.length; index += 1) {
      const at = fieldAt(fields[index] as number);
      const values = bucket[at + COUNT] as number;
      const columnsOfField = columns[index];
      if (!(values > 0) || !columnsOfField) continue;
      columnsOfField.avg[point] = (bucket[at + SUM] as number) / values;
      columnsOfField.min[point] = bucket[at + MIN] as number;
      columnsOfField.max[point] = bucket[at + MAX] as number;
      columnsOfField.last[point] = bucket[at + LAST] as number;
    }
  }
  return { kind, name, samples, backfilled, bits, fields: columns };
}

import {
  BACKFILLED,
  BITS,
  type Bucket,
  bucketLength,
  COUNT,
  emptyBucket,
  type FieldPlaces,
  fieldAt,
  LAST,
  LEFT_OUT,
  MAX,
  MIN,
  mergeSelected,
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

/** One series over the points of a chart. */
export interface SeriesColumns {
  readonly kind: SeriesKind;
  readonly name: string;
  /** Samples in each point. */
  readonly samples: Float64Array;
  readonly backfilled: Float64Array;
  /** As `BITS` of a bucket. */
  readonly bits: Float64Array;
  readonly fields: readonly string[];
  /** Point by point, four numbers of each field in turn: mean, least, greatest, last; NaN where there is none. */
  readonly values: Float64Array;
}

/** Of each field in `SeriesColumns`. */
export const VALUES_PER_FIELD = 4;

/** Of one series, a bucket for each point, one after the other, with room for the selected fields alone. */
interface Series {
  readonly kind: SeriesKind;
  readonly name: string;
  readonly buckets: Float64Array;
}

/** Puts buckets of any tier into the points of a chart. */
export class PointTable {
  readonly #grid: PointGrid;
  readonly #selection: FieldSelection;
  /** By field of the kind: where it is in the buckets here. */
  readonly #places: Readonly<Record<SeriesKind, FieldPlaces>>;
  readonly #series = new Map<string, Series>();

  constructor(grid: PointGrid, selection: FieldSelection) {
    this.#grid = grid;
    this.#selection = selection;
    this.#places = {
      host: placesOf(selection.host),
      gpu: placesOf(selection.gpu),
      replica: placesOf(selection.replica),
    };
  }

  add(kind: SeriesKind, name: string, startMs: number, bucket: Bucket): void {
    const at = this.#bucketAt(kind, startMs);
    if (at !== null) mergeSelected(this.seriesOf(kind, name).buckets, at, bucket, this.#places[kind]);
  }

  /** @param series of `seriesOf` */
  addPacked({ kind, buckets }: Series, startMs: number, packed: PackedBucket): void {
    const at = this.#bucketAt(kind, startMs);
    if (at !== null) mergePacked(buckets, at, packed, startMs, this.#places[kind]);
  }

  /** The host first, then cards and replicas, each by name. */
  columns(): SeriesColumns[] {
    const all = [...this.#series.values()].sort(
      (a, b) => seriesKinds.indexOf(a.kind) - seriesKinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
    );
    return all.map((series) => columnsOf(series, this.#selection[series.kind], this.#grid.count));
  }

  seriesOf(kind: SeriesKind, name: string): Series {
    const label = `${kind} ${name}`;
    let series = this.#series.get(label);
    if (!series) {
      series = { kind, name, buckets: emptyBuckets(this.#grid.count, this.#selection[kind].length) };
      this.#series.set(label, series);
    }
    return series;
  }

  /** Where the bucket of the point begins that holds this moment; `null` for none. */
  #bucketAt(kind: SeriesKind, atMs: number): number | null {
    const { startMs, stepMs, count } = this.#grid;
    const point = Math.floor((atMs - startMs) / stepMs);
    return point >= 0 && point < count ? point * bucketLength(this.#selection[kind].length) : null;
  }
}

function placesOf(selected: readonly number[]): FieldPlaces {
  const places = new Int16Array(Math.max(-1, ...selected) + 1).fill(LEFT_OUT);
  selected.forEach((field, index) => {
    places[field] = fieldAt(index);
  });
  return places;
}

function emptyBuckets(count: number, fieldCount: number): Float64Array {
  const empty = emptyBucket(fieldCount);
  const buckets = new Float64Array(count * empty.length);
  for (let at = 0; at < buckets.length; at += empty.length) buckets.set(empty, at);
  return buckets;
}

function columnsOf(
  { kind, name, buckets }: Series,
  selected: readonly number[],
  count: number,
): SeriesColumns {
  const length = bucketLength(selected.length);
  const samples = new Float64Array(count);
  const backfilled = new Float64Array(count);
  const bits = new Float64Array(count);
  const values = new Float64Array(count * selected.length * VALUES_PER_FIELD).fill(Number.NaN);
  let value = 0;
  for (let point = 0; point < count; point += 1) {
    const at = point * length;
    samples[point] = buckets[at + SAMPLES] as number;
    backfilled[point] = buckets[at + BACKFILLED] as number;
    bits[point] = buckets[at + BITS] as number;
    for (let index = 0; index < selected.length; index += 1, value += VALUES_PER_FIELD) {
      const field = at + fieldAt(index);
      const had = buckets[field + COUNT] as number;
      if (!(had > 0)) continue;
      values[value] = (buckets[field + SUM] as number) / had;
      values[value + 1] = buckets[field + MIN] as number;
      values[value + 2] = buckets[field + MAX] as number;
      values[value + 3] = buckets[field + LAST] as number;
    }
  }
  const fields = selected.map((field) => telemetryFields[kind][field] as string);
  return { kind, name, samples, backfilled, bits, fields, values };
}

import type { TelemetrySample } from '@ai-fabric/shared';
import { addSample, addValue, type Bucket, emptyBucket } from './bucket.js';
import { CounterRates } from './counter-rates.js';
import { type SeriesKind, telemetryFields } from './telemetry-fields.js';

export interface SeriesBucket {
  readonly kind: SeriesKind;
  /** A card's UUID, a deployment's name; empty for the host itself. */
  readonly name: string;
  readonly bucket: Bucket;
}

/** What was gathered of one stretch of one host: all of it, or what came of it late. */
export interface RollUp {
  readonly startMs: number;
  readonly series: readonly SeriesBucket[];
}

/** Filled anew for each reading. */
const replicaValues = new Float64Array(telemetryFields.replica.length);

/** Takes the samples of one stretch of time of a host, in any order, and keeps of each series what a bucket keeps. */
export class OpenStretch implements RollUp {
  readonly startMs: number;
  readonly series: SeriesBucket[] = [];
  readonly #host: Bucket;
  readonly #gpus = new Map<string, Bucket>();
  readonly #replicas = new Map<string, Bucket>();

  constructor(startMs: number) {
    this.startMs = startMs;
    this.#host = this.#add('host', '');
  }

  add(sample: TelemetrySample, backfilled: boolean, rates: Map<string, CounterRates>): void {
    const { atMs } = sample;
    addSample(this.#host, atMs, backfilled, -1);
    addReading(this.#host, atMs, sample.host, telemetryFields.host);
    for (const uuid of Object.keys(sample.gpus)) {
      const reading = sample.gpus[uuid];
      if (!reading) continue;
      const bucket = this.#find(this.#gpus, 'gpu', uuid);
      addSample(bucket, atMs, backfilled, reading.clocksEventReasonsMask ?? -1);
      addReading(bucket, atMs, reading, telemetryFields.gpu);
    }
    for (const deployment of Object.keys(sample.replicas)) {
      const reading = sample.replicas[deployment];
      if (!reading) continue;
      const bucket = this.#find(this.#replicas, 'replica', deployment);
      addSample(bucket, atMs, backfilled, -1);
      ratesOf(rates, deployment).take(atMs, reading, replicaValues);
      for (let field = 0; field < replicaValues.length; field += 1) {
        addValue(bucket, field, atMs, replicaValues[field] as number);
      }
    }
  }

  #find(buckets: Map<string, Bucket>, kind: SeriesKind, name: string): Bucket {
    let bucket = buckets.get(name);
    if (!bucket) {
      bucket = this.#add(kind, name);
      buckets.set(name, bucket);
    }
    return bucket;
  }

  #add(kind: SeriesKind, name: string): Bucket {
    const bucket = emptyBucket(telemetryFields[kind].length);
    this.series.push({ kind, name, bucket });
    return bucket;
  }
}

function addReading<Field extends string>(
  bucket: Bucket,
  atMs: number,
  reading: Readonly<Record<Field, number | null>>,
  fields: readonly Field[],
): void {
  for (let field = 0; field < fields.length; field += 1) {
    addValue(bucket, field, atMs, reading[fields[field] as Field] ?? Number.NaN);
  }
}

function ratesOf(rates: Map<string, CounterRates>, deployment: string): CounterRates {
  let own = rates.get(deployment);
  if (!own) {
    own = new CounterRates();
    rates.set(deployment, own);
  }
  return own;
}

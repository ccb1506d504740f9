import type { AbsenceStretch } from './decide/absence-stretches.js';

/** A field over the time of one point. All `null` where no sample had it: nothing is filled in. */
export interface FieldPoint {
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

export interface CardPoint {
  readonly values: Readonly<Record<string, FieldPoint>>;
  /** What kept its clocks down at any moment, in words; `null`: not known. */
  readonly throttleReasons: readonly string[] | null;
}

export interface TelemetryPoint {
  /** Where it begins. */
  readonly atMs: number;
  /** `reporting` with no samples: it did, and single samples of that time are not kept. `silent`: no sample, and the host did not say why nor was it noticed missing. */
  readonly state: 'reporting' | 'asleep' | 'away' | 'silent';
  readonly samples: number;
  /** Some of it came after the link was back. */
  readonly backfilled: boolean;
  readonly host: Readonly<Record<string, FieldPoint>> | null;
  readonly gpus: Readonly<Record<string, CardPoint>>;
  readonly replicas: Readonly<Record<string, Readonly<Record<string, FieldPoint>>>>;
}

export interface Stretch {
  readonly kind: AbsenceStretch['state'] | 'backfilled';
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string | null;
}

export interface TelemetryAnswer {
  readonly host: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  /** What it was made from. */
  readonly resolution: 'samples' | '1m' | '10m' | '2h';
  readonly notes: readonly string[];
  readonly stretches: readonly Stretch[];
  readonly points: readonly TelemetryPoint[];
}

import type Database from 'better-sqlite3';
import type { HostEvent } from '../history/decide/absence-stretches.js';
import type { PackedBucket } from '../history/decide/bucket-codec.js';
import type { RollUp } from '../history/decide/open-stretch.js';
import {
  type FieldSelection,
  type PointGrid,
  PointTable,
  type SeriesColumns,
} from '../history/decide/point-table.js';
import type { SeriesKind } from '../history/decide/telemetry-fields.js';
import { type Tier, tiers } from '../history/decide/tiers.js';
import { keyAfterSeries, startOfKey, telemetryKey } from './telemetry-key.js';

/** What is not in the registry yet. */
export interface WaitingRollUp extends RollUp {
  /** `null`: still open. */
  readonly seq: number | null;
}

export interface TelemetryQuestion {
  readonly hostId: string;
  /** `null`: only when the host was away. */
  readonly tier: Tier['name'] | null;
  readonly grid: PointGrid;
  readonly fields: FieldSelection;
  readonly runId: string;
  readonly waiting: readonly WaitingRollUp[];
}

export interface StoredTelemetry {
  readonly columns: readonly SeriesColumns[];
  /** From the last before the grid's start on. */
  readonly events: readonly HostEvent[];
  /** Of the run that asked: roll-ups up to here were found in the registry. */
  readonly writtenSeq: number;
}

/** Reads what a chart of one host needs, in one transaction of the reading connection. */
export function readTelemetry(raw: Database.Database, question: TelemetryQuestion): StoredTelemetry {
  const { hostId, grid, tier: tierName, runId } = question;
  return raw.transaction((): StoredTelemetry => {
    const endMs = grid.startMs + grid.count * grid.stepMs;
    const events = [
      ...lastEventBefore(raw, hostId, grid.startMs),
      ...eventsBetween(raw, hostId, grid.startMs, endMs),
    ];
    const writtenSeq = (raw.prepare(WRITTEN).pluck().get(runId) as number | undefined) ?? 0;
    const tier = tiers.find(({ name }) => name === tierName);
    return { events, writtenSeq, columns: tier ? readColumns(raw, question, tier, endMs, writtenSeq) : [] };
  })();
}

const WRITTEN = 'SELECT last_seq FROM telemetry_progress WHERE run_id = ?';
const SERIES = 'SELECT series_id, kind, name FROM telemetry_series WHERE host_id = ?';
/** Buckets that are read at once; their bytes are some 100 KB. */
const CHUNK = 512;
/** Of a bucket whose fields nobody asked for: the counts at its front, seventeen bytes at the most. */
const HEAD_BYTES = 24;
const EVENT = "SELECT at_ms AS atMs, event, detail FROM host_events WHERE host_id = ? AND event <> 'late'";

function readColumns(
  raw: Database.Database,
  { hostId, grid, fields, waiting }: TelemetryQuestion,
  tier: Tier,
  endMs: number,
  writtenSeq: number,
): SeriesColumns[] {
  const table = new PointTable(grid, fields);
  const whole = raw.prepare(bucketsSql('data')).raw();
  const heads = raw.prepare(bucketsSql(`substr(data, 1, ${HEAD_BYTES})`)).raw();
  const series = raw.prepare(SERIES).raw().all(hostId) as [number, SeriesKind, string][];
  for (const [seriesId, kind, name] of series) {
    const isAsked = fields[kind].length > 0;
    // The host's own tells which samples there were, whatever is asked for.
    if (!isAsked && kind !== 'host') continue;
    const from = telemetryKey(seriesId, tier, grid.startMs);
    const to = Math.min(telemetryKey(seriesId, tier, endMs), keyAfterSeries(seriesId));
    const points = table.seriesOf(kind, name);
    readBuckets(isAsked ? whole : heads, from, to, (key, packed) =>
      table.addPacked(points, startOfKey(key, tier), packed),
    );
  }
  for (const { seq, startMs, series: parts } of waiting) {
    if (seq !== null && seq <= writtenSeq) continue;
    for (const { kind, name, bucket } of parts) {
      if (fields[kind].length > 0 || kind === 'host') table.add(kind, name, startMs, bucket);
    }
  }
  return table.columns();
}

/**
 * A chunk of buckets as one row: their places in the chunk, the length of each, and their bytes in one piece. A row, with
 * a value of its own in JavaScript, for each of thousands of short buckets costs more than all else that is done with them.
 * That text may hold any byte is SQLite's practice; the tests hold it to that.
 */
function bucketsSql(data: string): string {
  return `SELECT json_group_array(key - CAST(@from AS INTEGER)), json_group_array(length(${data})),
      CAST(group_concat(CAST(${data} AS TEXT), '') AS BLOB)
    FROM telemetry_buckets WHERE key >= @from AND key < @to`;
}

/** Tells each bucket, in the order of the keys. */
function readBuckets(
  buckets: Database.Statement,
  from: number,
  to: number,
  tell: (key: number, packed: PackedBucket) => void,
): void {
  for (let start = from; start < to; start += CHUNK) {
    const chunk = { from: start, to: Math.min(start + CHUNK, to) };
    const [places, lengths, bytes] = buckets.get(chunk) as [string, string, Uint8Array | null];
    if (bytes === null) continue;
    const allLengths = JSON.parse(lengths) as number[];
    let at = 0;
    (JSON.parse(places) as number[]).forEach((place, index) => {
      const end = at + (allLengths[index] as number);
      tell(start + place, { bytes, at, end });
      at = end;
    });
  }
}

function lastEventBefore(raw: Database.Database, hostId: string, atMs: number): HostEvent[] {
  // A goodbye counts before the "away" that may follow it: the last link before tells where the story begins.
  const linked = raw
    .prepare("SELECT max(id) FROM host_events WHERE host_id = ? AND event = 'linked' AND at_ms < ?")
    .pluck()
    .get(hostId, atMs) as number | null;
  return raw
    .prepare(`${EVENT} AND at_ms < ? AND id >= ? ORDER BY id`)
    .all(hostId, atMs, linked ?? 0) as HostEvent[];
}

function eventsBetween(raw: Database.Database, hostId: string, fromMs: number, toMs: number): HostEvent[] {
  return raw
    .prepare(`${EVENT} AND at_ms >= ? AND at_ms <= ? ORDER BY id`)
    .all(hostId, fromMs, toMs) as HostEvent[];
}

import type Database from 'better-sqlite3';
import { type Bucket, fieldCountOf, mergeBucket } from '../history/decide/bucket.js';
import { decodeBucket, encodeBucket } from '../history/decide/bucket-codec.js';
import type { SeriesBucket } from '../history/decide/open-stretch.js';
import { type Tier, tiers } from '../history/decide/tiers.js';
import type { TelemetryMinute } from './registry-types.js';
import { keyAfterSeries, seriesOfKey, startOfKey, telemetryKey } from './telemetry-key.js';

/** Each new row takes the place of at most so many that are too old. */
const EXPIRE_CHUNK = 8;
const MAX_REMEMBERED = 10_000;

/** Writes roll-ups. Its statements belong to one connection; call its methods within a transaction of that. */
export class TelemetryTables {
  readonly #statements: ReturnType<typeof prepare>;
  #seriesIds = new Map<string, number>();

  constructor(raw: Database.Database) {
    this.#statements = prepare(raw);
  }

  /**
   * Merges minutes into the buckets of every tier that still keeps their time. What this run has written before is
   * passed over, and so is a host that is gone.
   */
  apply(minutes: readonly TelemetryMinute[], nowMs: number): void {
    const last = minutes.at(-1);
    if (!last) return;
    const { runId } = last;
    const written = this.writtenSeq(runId);
    for (const minute of minutes) {
      if (minute.seq > written && minute.runId === runId) this.#applyMinute(minute, nowMs);
    }
    this.#statements.forgetRuns.run(runId);
    this.#statements.progress.run(runId, last.seq);
  }

  /** Ids that were given within a transaction that was undone are not to be believed. */
  forgetSeries(): void {
    this.#seriesIds = new Map();
  }

  /** Up to where the roll-ups of a run are in the buckets; 0 where none is. */
  writtenSeq(runId: string): number {
    return (this.#statements.written.get(runId) as number | undefined) ?? 0;
  }

  /**
   * Deletes a chunk of rows that are too old or whose host is gone.
   *
   * @param fromKey where the last call ended; 0 at first
   * @returns where the next begins; `null` when all was looked at
   */
  prune(fromKey: number, nowMs: number, chunk: number): number | null {
    const key = this.#statements.nextKey.get(fromKey) as number | null;
    if (key === null) return null;
    const seriesId = seriesOfKey(key);
    let left = chunk;
    if (this.#statements.seriesExists.get(seriesId) === undefined) {
      left -= this.#statements.expire.run(
        telemetryKey(seriesId, tiers[0], 0),
        keyAfterSeries(seriesId),
        left,
      ).changes;
    } else {
      for (const tier of tiers) left -= this.#expire(seriesId, tier, nowMs, left);
    }
    return left <= 0 ? key : keyAfterSeries(seriesId);
  }

  #applyMinute(minute: TelemetryMinute, nowMs: number): void {
    for (const series of minute.series) {
      const seriesId = this.#seriesId(minute.hostId, series);
      if (seriesId === null) return;
      for (const tier of tiers) {
        if (minute.atMs >= nowMs - tier.keepMs)
          this.#merge(seriesId, tier, minute.atMs, series.bucket, nowMs);
      }
    }
  }

  #merge(seriesId: number, tier: Tier, atMs: number, part: Bucket, nowMs: number): void {
    const key = telemetryKey(seriesId, tier, atMs);
    const startMs = startOfKey(key, tier);
    const before = this.#statements.read.get(key) as Buffer | undefined;
    if (before === undefined) {
      this.#statements.insert.run(key, encodeBucket(part, startMs));
      this.#expire(seriesId, tier, nowMs, EXPIRE_CHUNK);
      return;
    }
    const whole = decodeBucket(before, startMs, fieldCountOf(part));
    mergeBucket(whole, part);
    this.#statements.update.run(encodeBucket(whole, startMs), key);
  }

  #expire(seriesId: number, tier: Tier, nowMs: number, chunk: number): number {
    if (chunk <= 0) return 0;
    const first = telemetryKey(seriesId, tier, 0);
    const kept = telemetryKey(seriesId, tier, nowMs - tier.keepMs);
    return this.#statements.expire.run(first, kept, chunk).changes;
  }

  /** `null`: there is no such host. */
  #seriesId(hostId: string, { kind, name }: SeriesBucket): number | null {
    const label = `${hostId} ${kind} ${name}`;
    const known = this.#seriesIds.get(label);
    if (known !== undefined) return known;
    this.#statements.addSeries.run(hostId, kind, name, hostId);
    const seriesId = this.#statements.findSeries.get(hostId, kind, name) as number | undefined;
    if (seriesId === undefined) return null;
    if (this.#seriesIds.size >= MAX_REMEMBERED) this.#seriesIds.clear();
    this.#seriesIds.set(label, seriesId);
    return seriesId;
  }
}

function prepare(raw: Database.Database) {
  return {
    read: raw.prepare('SELECT data FROM telemetry_buckets WHERE key = ?').pluck(),
    insert: raw.prepare('INSERT INTO telemetry_buckets (key, data) VALUES (?, ?)'),
    update: raw.prepare('UPDATE telemetry_buckets SET data = ? WHERE key = ?'),
    expire: raw.prepare(
      'DELETE FROM telemetry_buckets WHERE key IN (SELECT key FROM telemetry_buckets WHERE key >= ? AND key < ? LIMIT ?)',
    ),
    nextKey: raw.prepare('SELECT min(key) FROM telemetry_buckets WHERE key >= ?').pluck(),
    seriesExists: raw.prepare('SELECT 1 FROM telemetry_series WHERE series_id = ?').pluck(),
    findSeries: raw
      .prepare('SELECT series_id FROM telemetry_series WHERE host_id = ? AND kind = ? AND name = ?')
      .pluck(),
    addSeries: raw.prepare(
      `INSERT INTO telemetry_series (host_id, kind, name)
         SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM hosts WHERE host_id = ?) ON CONFLICT DO NOTHING`,
    ),
    written: raw.prepare('SELECT last_seq FROM telemetry_progress WHERE run_id = ?').pluck(),
    forgetRuns: raw.prepare('DELETE FROM telemetry_progress WHERE run_id <> ?'),
    progress: raw.prepare(
      `INSERT INTO telemetry_progress (run_id, last_seq) VALUES (?, ?)
         ON CONFLICT (run_id) DO UPDATE SET last_seq = excluded.last_seq`,
    ),
  };
}

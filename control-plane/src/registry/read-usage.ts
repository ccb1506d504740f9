import type Database from 'better-sqlite3';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import { USAGE_NUMBERS, type UsageTable } from './decide/usage-table.js';
import { USAGE_DIMENSIONS, type UsageQuery } from './request-types.js';

const NAME_COLUMN = USAGE_NUMBERS.indexOf('nameId');

/** Sums by hour or day and one dimension, oldest first; never from the rows. */
export function readUsage(database: Database.Database, query: UsageQuery): UsageTable {
  const { by, per, fromMs, toMs, limit, after } = query;
  const bucketMs = per === 'hour' ? HOUR_MS : DAY_MS;
  // The columns in the order of `USAGE_NUMBERS`.
  const statement = database
    .prepare(
      `SELECT bucket * ${bucketMs}, name_id, ok + client_errors + refused + failed + interrupted + client_gone, ok,
         client_errors, refused, failed, interrupted, client_gone, retries, prompt_tokens, completion_tokens,
         cached_tokens, total_ms, max_total_ms, queue_ms, ttft_ms, ttft_count
       FROM ${per === 'hour' ? 'usage_hours' : 'usage_days'}
       WHERE dimension = @dimension AND (bucket, name_id) > (@afterBucket, @afterName) AND bucket < @toBucket
         AND ok + client_errors + refused + failed + interrupted + client_gone > 0
       ORDER BY bucket, name_id LIMIT @limit`,
    )
    .raw();
  const rows = statement.all({
    dimension: USAGE_DIMENSIONS.indexOf(by),
    afterBucket: after === null ? Math.floor(fromMs / bucketMs) : after.bucketStartMs / bucketMs,
    afterName: after?.nameId ?? 0,
    toBucket: Math.ceil(toMs / bucketMs),
    limit,
  }) as number[][];
  const numbers = new Float64Array(rows.length * USAGE_NUMBERS.length);
  rows.forEach((row, index) => {
    numbers.set(row, index * USAGE_NUMBERS.length);
  });
  return { names: readNames(database, new Set(rows.map((row) => row[NAME_COLUMN] ?? 0))), numbers };
}

function readNames(database: Database.Database, ids: ReadonlySet<number>): Map<number, string> {
  const statement = database.prepare('SELECT name FROM request_names WHERE id = ?').pluck();
  return new Map(Array.from(ids, (id) => [id, String(statement.get(id) ?? '')]));
}

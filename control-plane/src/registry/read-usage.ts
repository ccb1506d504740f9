import type Database from 'better-sqlite3';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import { USAGE_DIMENSIONS, type UsageQuery, type UsageRow } from './request-types.js';

/** Sums by hour or day and one dimension, oldest first; never from the rows. */
export function readUsage(database: Database.Database, query: UsageQuery): UsageRow[] {
  const { by, per, fromMs, toMs, limit, after } = query;
  const bucketMs = per === 'hour' ? HOUR_MS : DAY_MS;
  const fromBucket = Math.floor(fromMs / bucketMs);
  const statement = database.prepare(
    `SELECT bucket * ${bucketMs} AS bucketStartMs, name_id AS nameId, name,
       ok + client_errors + refused + failed + interrupted + client_gone AS requests, ok,
       client_errors AS clientErrors, refused, failed, interrupted, client_gone AS clientGone, retries,
       prompt_tokens AS promptTokens, completion_tokens AS completionTokens, cached_tokens AS cachedTokens,
       total_ms AS totalMs, max_total_ms AS maxTotalMs, queue_ms AS queueMs, ttft_ms AS ttftMs,
       ttft_count AS ttftCount
     FROM ${per === 'hour' ? 'usage_hours' : 'usage_days'} JOIN request_names ON request_names.id = name_id
     WHERE dimension = @dimension AND (bucket, name_id) > (@afterBucket, @afterName) AND bucket < @toBucket
     ORDER BY bucket, name_id LIMIT @limit`,
  );
  return statement.all({
    dimension: USAGE_DIMENSIONS.indexOf(by),
    afterBucket: after === null ? fromBucket : after.bucketStartMs / bucketMs,
    afterName: after?.nameId ?? 0,
    toBucket: Math.ceil(toMs / bucketMs),
    limit,
  }) as UsageRow[];
}

import type Database from 'better-sqlite3';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import type { UsageQuery, UsageRow } from './request-types.js';

/** Sums by hour or day and one dimension, oldest first; never from the rows. */
export function readUsage(database: Database.Database, query: UsageQuery): UsageRow[] {
  const { by, per, fromMs, toMs, limit, after } = query;
  const bucketMs = per === 'hour' ? HOUR_MS : DAY_MS;
  const statement = database.prepare(
    `SELECT bucket * ${bucketMs} AS bucketStartMs, ${by}_id AS nameId, (SELECT name FROM request_names
         WHERE id = ${by}_id) AS name,
       sum(ok + client_errors + refused + failed + interrupted + client_gone) AS requests, sum(ok) AS ok,
       sum(client_errors) AS clientErrors, sum(refused) AS refused, sum(failed) AS failed,
       sum(interrupted) AS interrupted, sum(client_gone) AS clientGone, sum(retries) AS retries,
       sum(prompt_tokens) AS promptTokens, sum(completion_tokens) AS completionTokens,
       sum(cached_tokens) AS cachedTokens, sum(total_ms) AS totalMs, max(max_total_ms) AS maxTotalMs,
       sum(queue_ms) AS queueMs, sum(ttft_ms) AS ttftMs, sum(ttft_count) AS ttftCount
     FROM ${per === 'hour' ? 'usage_hours' : 'usage_days'}
     WHERE bucket >= @from AND bucket < @to AND (bucket, ${by}_id) > (@afterBucket, @afterName)
     GROUP BY bucket, ${by}_id ORDER BY bucket, ${by}_id LIMIT @limit`,
  );
  return statement.all({
    from: after === null ? Math.floor(fromMs / bucketMs) : after.bucketStartMs / bucketMs,
    to: Math.ceil(toMs / bucketMs),
    afterBucket: after === null ? -1 : after.bucketStartMs / bucketMs,
    afterName: after?.nameId ?? 0,
    limit,
  }) as UsageRow[];
}

import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/**
 * The request log. Written by the observation worker alone, a batch at a time, with prepared statements. There is no
 * index over the rows: they lie in the order in which requests ended, `request_hours` tells where an hour lies, and
 * the roll-ups tell which hours hold what is looked for.
 */

/** Names and codes that rows speak of by number. Bounded in number. */
export const requestNames = sqliteTable(
  'request_names',
  { id: integer('id').primaryKey(), name: text('name').notNull() },
  (table) => [uniqueIndex('request_names_name').on(table.name)],
);

/** What filters look at comes first: SQLite reads a row from its front. */
export const requests = sqliteTable('requests', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  endedAtMs: integer('ended_at_ms').notNull(),
  roleId: integer('role_id').notNull(),
  keyId: integer('key_id').notNull(),
  hostId: integer('host_id').notNull(),
  outcome: integer('outcome').notNull(),
  targetId: integer('target_id').notNull(),
  endpointId: integer('endpoint_id').notNull(),
  reasonId: integer('reason_id').notNull(),
  stream: integer('stream').notNull(),
  status: integer('status'),
  promptTokens: integer('prompt_tokens'),
  completionTokens: integer('completion_tokens'),
  cachedTokens: integer('cached_tokens'),
  ttftMs: integer('ttft_ms'),
  totalMs: integer('total_ms').notNull(),
  queueMs: integer('queue_ms').notNull(),
  attempts: integer('attempts').notNull(),
  considered: integer('considered').notNull(),
  requestId: text('request_id').notNull(),
});

/** From a request id to its row; see `request-place.ts`. */
export const requestPlaces = sqliteTable('request_places', {
  place: integer('place').primaryKey(),
  id: integer('id').notNull(),
});

/** Every candidate's verdict, packed; only where there is more to tell than the row does. */
export const requestTrails = sqliteTable('request_trails', {
  id: integer('id').primaryKey(),
  trail: text('trail').notNull(),
});

/** Which rows ended in an hour of UTC; others may lie between them when the clock was set back. */
export const requestHours = sqliteTable('request_hours', {
  hour: integer('hour').primaryKey(),
  firstId: integer('first_id').notNull(),
  lastId: integer('last_id').notNull(),
});

/**
 * Each request counts once in each dimension: sums are read as they are, whatever else there is. They lie in the order
 * in which they are asked for.
 */
function usageColumns() {
  return {
    /** See `usage-key.ts`. */
    key: integer('key').primaryKey(),
    ok: integer('ok').notNull(),
    clientErrors: integer('client_errors').notNull(),
    refused: integer('refused').notNull(),
    failed: integer('failed').notNull(),
    interrupted: integer('interrupted').notNull(),
    clientGone: integer('client_gone').notNull(),
    retries: integer('retries').notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    completionTokens: integer('completion_tokens').notNull(),
    cachedTokens: integer('cached_tokens').notNull(),
    totalMs: integer('total_ms').notNull(),
    maxTotalMs: integer('max_total_ms').notNull(),
    queueMs: integer('queue_ms').notNull(),
    ttftMs: integer('ttft_ms').notNull(),
    ttftCount: integer('ttft_count').notNull(),
  };
}

export const usageHours = sqliteTable('usage_hours', usageColumns());

export const usageDays = sqliteTable('usage_days', usageColumns());

import { blob, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { hosts } from './schema.js';

/** What telemetry is kept of: a host itself, its cards, its replicas. A number stands for each in the rows' keys. */
export const telemetrySeries = sqliteTable(
  'telemetry_series',
  {
    /** Never used again: rows of a series that is gone are deleted after it. */
    seriesId: integer('series_id').primaryKey({ autoIncrement: true }),
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    /** host, gpu, replica. */
    kind: text('kind').notNull(),
    /** A card's UUID, a deployment's name; empty for the host itself. */
    name: text('name').notNull(),
  },
  (table) => [uniqueIndex('telemetry_series_name').on(table.hostId, table.kind, table.name)],
);

/**
 * One row per series, tier and stretch of time. The three make up the key, so that what a chart asks for lies side by
 * side and no second index is needed: see `telemetry-key.ts`.
 */
export const telemetryBuckets = sqliteTable('telemetry_buckets', {
  key: integer('key').primaryKey(),
  /** As `bucket-codec.ts` packs it. */
  data: blob('data', { mode: 'buffer' }).notNull(),
});

/** How far the roll-ups of a run of the control plane are in the buckets: written with them, in one transaction. */
export const telemetryProgress = sqliteTable('telemetry_progress', {
  /** Of one process. The latest alone is kept. */
  runId: text('run_id').primaryKey(),
  lastSeq: integer('last_seq').notNull(),
});

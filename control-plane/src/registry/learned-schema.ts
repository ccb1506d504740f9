import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** How fast an engine is, as its answers told. Written by the observation worker alone; `state` is the router's. */
export const learnedRates = sqliteTable(
  'learned_rates',
  {
    host: text('host').notNull(),
    model: text('model').notNull(),
    /** The declared container image, or `external` and the engine's version. */
    image: text('image').notNull(),
    state: text('state').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.host, table.model, table.image] })],
);

/** How long answers are, by role and key. */
export const answerLengths = sqliteTable(
  'answer_lengths',
  {
    role: text('role').notNull(),
    /** `''`: the role's own, of all keys. */
    key: text('key').notNull(),
    state: text('state').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.role, table.key] })],
);

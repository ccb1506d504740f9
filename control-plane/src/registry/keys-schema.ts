import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { REQUEST_CLASSES } from '../declared/request-class.js';

/** Keys of applications; revoked ones stay, so that they are known as such for ever. See `schema.ts` for manners. */
export const apiKeys = sqliteTable(
  'api_keys',
  {
    keyId: text('key_id').primaryKey(),
    name: text('name').notNull(),
    /** JSON list of the names that it may ask for; null: all. */
    roles: text('roles'),
    mayWake: integer('may_wake', { mode: 'boolean' }).notNull(),
    mayCloud: integer('may_cloud', { mode: 'boolean' }).notNull(),
    /** Limits: null: none, 0: nothing is allowed. */
    requestsPerMinute: integer('requests_per_minute'),
    tokensPerMinute: integer('tokens_per_minute'),
    concurrentRequests: integer('concurrent_requests'),
    /** How long what its requests said is kept, in `bodies/`; null: not at all. */
    keepBodiesDays: integer('keep_bodies_days'),
    /** How urgent its requests are where they do not say, and at most; null: as their role says, and as they ask. */
    defaultClass: text('default_class', { enum: REQUEST_CLASSES }),
    mostUrgentClass: text('most_urgent_class', { enum: REQUEST_CLASSES }),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms'),
    rotatedAtMs: integer('rotated_at_ms'),
    revokedAtMs: integer('revoked_at_ms'),
  },
  (table) => [uniqueIndex('api_keys_name').on(table.name).where(sql`revoked_at_ms is null`)],
);

export const apiKeySecrets = sqliteTable(
  'api_key_secrets',
  {
    /** SHA-256 of 256 random bits: nothing to guess, so nothing slower is needed. */
    secretSha256: text('secret_sha256').primaryKey(),
    keyId: text('key_id')
      .notNull()
      .references(() => apiKeys.keyId, { onDelete: 'cascade' }),
    /** Its first characters, by which people tell secrets apart. */
    hint: text('hint').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    /** Of one that was rotated out: good until then. */
    validUntilMs: integer('valid_until_ms'),
  },
  (table) => [index('api_key_secrets_key').on(table.keyId)],
);

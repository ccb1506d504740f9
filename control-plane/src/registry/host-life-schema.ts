import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { hosts, joinTokens } from './schema.js';

/**
 * Keys that no host comes back with. Without a reference to the host: a key stays refused when its host is removed.
 */
export const refusedKeys = sqliteTable('refused_keys', {
  /** Ed25519, DER SPKI, base64. */
  publicKey: text('public_key').primaryKey(),
  /** The host's name at that time. */
  hostName: text('host_name').notNull(),
  /** revoked, replaced. */
  reason: text('reason', { enum: ['revoked', 'replaced'] }).notNull(),
  refusedAtMs: integer('refused_at_ms').notNull(),
});

/** Join tokens that put a new key in the place of a host's, whatever machine brings it. */
export const reEnrolments = sqliteTable('re_enrolments', {
  tokenId: text('token_id')
    .primaryKey()
    .references(() => joinTokens.id, { onDelete: 'cascade' }),
  hostId: text('host_id')
    .notNull()
    .references(() => hosts.hostId, { onDelete: 'cascade' }),
});

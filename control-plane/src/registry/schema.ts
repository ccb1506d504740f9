import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/**
 * The tables of the registry file. A change here is followed by `npm run migrations` in control-plane, which adds a
 * file to /migrations; those are never edited. Times are milliseconds since 1970 on this server's clock. JSON is
 * kept as text and checked by whoever reads it: it may have been written by an older program.
 */

/** Facts about the file itself: see `registry-meta.ts` for the keys. */
export const meta = sqliteTable('meta', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
});

/** One row per named thing of the declared state, so that each has its own history and can be compared alone. */
export const declaredObjects = sqliteTable(
  'declared_objects',
  {
    /** host, deployment, provider, role, alias, gateway. */
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    /** Place within its kind: the order of the file is kept. */
    position: integer('position').notNull(),
    /** As it stands in a fabric file. */
    document: text('document').notNull(),
    /** The revision that last changed it. */
    changedRevision: integer('changed_revision').notNull(),
    changedAtMs: integer('changed_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.name] })],
);

/** Enrolled hosts. Written on the main thread, committed before an answer. */
export const hosts = sqliteTable(
  'hosts',
  {
    hostId: text('host_id').primaryKey(),
    name: text('name').notNull(),
    publicKey: text('public_key').notNull(),
    machineSha256: text('machine_sha256').notNull(),
    enrolledAtMs: integer('enrolled_at_ms').notNull(),
    draining: integer('draining', { mode: 'boolean' }).notNull().default(false),
  },
  (table) => [uniqueIndex('hosts_name').on(table.name), uniqueIndex('hosts_public_key').on(table.publicKey)],
);

export const joinTokens = sqliteTable('join_tokens', {
  id: text('id').primaryKey(),
  /** SHA-256 of 256 random bits: nothing to guess, so nothing slower is needed. */
  secretSha256: text('secret_sha256').notNull(),
  hostName: text('host_name'),
  createdAtMs: integer('created_at_ms').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
  usedAtMs: integer('used_at_ms'),
  usedByHostId: text('used_by_host_id').references(() => hosts.hostId, { onDelete: 'set null' }),
  revokedAtMs: integer('revoked_at_ms'),
});

/** What was last seen of a host. Written by the observation worker alone. */
export const hostObservations = sqliteTable('host_observations', {
  hostId: text('host_id')
    .primaryKey()
    .references(() => hosts.hostId, { onDelete: 'cascade' }),
  lastSeenMs: integer('last_seen_ms').notNull(),
  lastGoodbyeReason: text('last_goodbye_reason'),
  agentVersion: text('agent_version'),
  clockSkewMs: integer('clock_skew_ms'),
  inventory: text('inventory'),
  issues: text('issues'),
  replicas: text('replicas'),
});

/** When hosts came and went. Bounded in number; its key is SQLite's rowid, so that pruning walks it in order. */
export const hostEvents = sqliteTable(
  'host_events',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    atMs: integer('at_ms').notNull(),
    event: text('event').notNull(),
    detail: text('detail'),
  },
  (table) => [index('host_events_host').on(table.hostId, table.id)],
);

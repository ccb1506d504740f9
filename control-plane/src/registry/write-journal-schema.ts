import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Who changed what through the control API. Bounded; its key is SQLite's rowid, so that pruning walks it in order. */
export const auditLog = sqliteTable(
  'audit_log',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    atMs: integer('at_ms').notNull(),
    requestId: text('request_id').notNull(),
    actor: text('actor').notNull(),
    operationId: text('operation_id').notNull(),
    /** JSON: the path's parameters. */
    params: text('params').notNull(),
    /** JSON: what was sent, in short and without secrets. */
    body: text('body').notNull(),
    /** `null`: it began, and the control plane ended before it was told what came of it. */
    status: integer('status'),
    code: text('code'),
  },
  (table) => [index('audit_log_operation').on(table.operationId, table.id)],
);

/** Writes that came with an idempotency key, and their answers. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    keySha256: text('key_sha256').primaryKey(),
    /** SHA-256 of the request. */
    fingerprint: text('fingerprint').notNull(),
    requestId: text('request_id').notNull(),
    atMs: integer('at_ms').notNull(),
    /** `null`: as in the audit log. */
    status: integer('status'),
    contentType: text('content_type'),
    /** `null`: not kept. */
    body: text('body'),
  },
  (table) => [index('idempotency_keys_at').on(table.atMs)],
);

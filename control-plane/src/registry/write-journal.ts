import { and, asc, count, desc, eq, gte, inArray, lt, lte, max } from 'drizzle-orm';
import type { Queries, RegistryDatabase } from './registry-database.js';
import { auditLog, idempotencyKeys } from './write-journal-schema.js';

/** A write through the control API, before it is done. Holds no secret. */
export interface NewWrite {
  readonly atMs: number;
  readonly requestId: string;
  readonly actor: string;
  readonly operationId: string;
  readonly params: Readonly<Record<string, string>>;
  /** What was sent, in short. */
  readonly body: unknown;
}

export interface WriteOutcome {
  readonly status: number;
  /** Of the problem that it was answered with. */
  readonly code: string | null;
}

/** An idempotency key and the request that it stands for, neither in clear. */
export interface WriteKey {
  readonly keySha256: string;
  readonly fingerprint: string;
}

export interface KeptAnswer {
  readonly contentType: string | null;
  /** `null`: it is not to be kept. */
  readonly body: string | null;
}

/** What a key was used for. */
export interface KeyedWrite extends KeptAnswer {
  readonly fingerprint: string;
  readonly requestId: string;
  readonly atMs: number;
  /** `null`: nobody knows what came of it. */
  readonly status: number | null;
}

export interface AuditRow extends NewWrite {
  readonly id: number;
  readonly status: number | null;
  readonly code: string | null;
}

export interface AuditQuery {
  readonly operationId?: string | undefined;
  readonly actor?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Older than this row. */
  readonly beforeId?: number | undefined;
  readonly limit: number;
}

/**
 * The audit log, and the answers of writes that may be asked for again. Rows are numbered as the writes began. All
 * calls are synchronous, committed when they return, and throw `RegistryError`.
 */
export interface WriteJournal {
  /** To be called right before the write: where this cannot be written, nothing may be changed. @returns its number */
  begin(write: NewWrite, key: WriteKey | null): number;
  /** @param answer `null`: the key is free again, as after a failure that changed nothing */
  finish(id: number, outcome: WriteOutcome, keySha256: string | null, answer: KeptAnswer | null): void;
  /** A write that was refused before it began. */
  refuse(write: NewWrite, outcome: WriteOutcome): void;
  find(keySha256: string, nowMs: number): KeyedWrite | null;
  /** Newest first. */
  list(query: AuditQuery): readonly AuditRow[];
}

const MAX_AUDIT_ROWS = 50_000;
const KEEP_AUDIT_MS = 400 * 24 * 3600 * 1000;
const MAX_KEYS = 5_000;
const KEEP_KEYS_MS = 24 * 3600 * 1000;
/** Forgotten with each write: more than one, so that the bounds are reached again however it grew. */
const PRUNE_CHUNK = 20;

export function createWriteJournal(database: RegistryDatabase): WriteJournal {
  return {
    begin: (write, key) =>
      database.write((queries) => {
        if (key !== null) keep(queries, key, write);
        return append(queries, write, null);
      }),
    finish: (id, { status, code }, keySha256, answer) =>
      database.write((queries) => {
        queries.update(auditLog).set({ status, code }).where(eq(auditLog.id, id)).run();
        if (keySha256 !== null) settle(queries, keySha256, status, answer);
      }),
    refuse: (write, outcome) =>
      database.write((queries) => {
        append(queries, write, outcome);
      }),
    find: (keySha256, nowMs) => database.read((queries) => find(queries, keySha256, nowMs)),
    list: (query) => database.read((queries) => list(queries, query)),
  };
}

function append(queries: Queries, write: NewWrite, outcome: WriteOutcome | null): number {
  pruneAudit(queries, write.atMs);
  const { params, body, ...rest } = write;
  const row = {
    ...rest,
    params: JSON.stringify(params),
    body: JSON.stringify(body),
    status: outcome?.status ?? null,
    code: outcome?.code ?? null,
  };
  return Number(queries.insert(auditLog).values(row).run().lastInsertRowid);
}

function keep(queries: Queries, { keySha256, fingerprint }: WriteKey, { requestId, atMs }: NewWrite): void {
  pruneKeys(queries, atMs);
  const row = { fingerprint, requestId, atMs, status: null, contentType: null, body: null };
  queries
    .insert(idempotencyKeys)
    .values({ keySha256, ...row })
    .onConflictDoUpdate({ target: idempotencyKeys.keySha256, set: row })
    .run();
}

function settle(queries: Queries, keySha256: string, status: number, answer: KeptAnswer | null): void {
  const isIt = eq(idempotencyKeys.keySha256, keySha256);
  if (answer === null) queries.delete(idempotencyKeys).where(isIt).run();
  else
    queries
      .update(idempotencyKeys)
      .set({ status, ...answer })
      .where(isIt)
      .run();
}

function find(queries: Queries, keySha256: string, nowMs: number): KeyedWrite | null {
  const row = queries.select().from(idempotencyKeys).where(eq(idempotencyKeys.keySha256, keySha256)).get();
  return row === undefined || row.atMs <= nowMs - KEEP_KEYS_MS ? null : row;
}

function list(queries: Queries, query: AuditQuery): AuditRow[] {
  const { operationId, actor, fromMs, toMs, beforeId, limit } = query;
  const rows = queries
    .select()
    .from(auditLog)
    .where(
      and(
        operationId === undefined ? undefined : eq(auditLog.operationId, operationId),
        actor === undefined ? undefined : eq(auditLog.actor, actor),
        fromMs === undefined ? undefined : gte(auditLog.atMs, fromMs),
        toMs === undefined ? undefined : lte(auditLog.atMs, toMs),
        beforeId === undefined ? undefined : lt(auditLog.id, beforeId),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(limit)
    .all();
  return rows.map((row) => ({
    ...row,
    params: JSON.parse(row.params) as Record<string, string>,
    body: JSON.parse(row.body) as unknown,
  }));
}

function pruneAudit(queries: Queries, nowMs: number): void {
  const newest =
    queries
      .select({ id: max(auditLog.id) })
      .from(auditLog)
      .get()?.id ?? 0;
  const oldest = queries
    .select({ id: auditLog.id, atMs: auditLog.atMs })
    .from(auditLog)
    .orderBy(asc(auditLog.id))
    .limit(PRUNE_CHUNK)
    .all();
  const excess = oldest.filter(
    ({ id, atMs }) => id <= newest - MAX_AUDIT_ROWS || atMs < nowMs - KEEP_AUDIT_MS,
  );
  const ids = excess.map(({ id }) => id);
  if (ids.length > 0) queries.delete(auditLog).where(inArray(auditLog.id, ids)).run();
}

function pruneKeys(queries: Queries, nowMs: number): void {
  const total = queries.select({ total: count() }).from(idempotencyKeys).get()?.total ?? 0;
  const oldest = queries
    .select({ keySha256: idempotencyKeys.keySha256, atMs: idempotencyKeys.atMs })
    .from(idempotencyKeys)
    .orderBy(asc(idempotencyKeys.atMs))
    .limit(PRUNE_CHUNK)
    .all();
  const excess = oldest.filter(
    ({ atMs }, index) => index < total - MAX_KEYS + 1 || atMs <= nowMs - KEEP_KEYS_MS,
  );
  const keys = excess.map(({ keySha256 }) => keySha256);
  if (keys.length > 0) queries.delete(idempotencyKeys).where(inArray(idempotencyKeys.keySha256, keys)).run();
}

import { eq } from 'drizzle-orm';
import type { Queries } from './registry-database.js';
import { meta } from './schema.js';

export const META_KEYS = {
  /** Version of the program that last changed the schema or opened the file. */
  writtenBy: 'written_by',
  /** A whole number; absent: nothing was ever declared. */
  declaredRevision: 'declared_revision',
  /** Which batch of the request log was written last, so that none is written twice. */
  lastRequestBatch: 'last_request_batch',
} as const;

type MetaKey = (typeof META_KEYS)[keyof typeof META_KEYS];

export function readMeta(queries: Queries, key: MetaKey): string | null {
  const row = queries.select({ value: meta.value }).from(meta).where(eq(meta.key, key)).get();
  return row?.value ?? null;
}

export function writeMeta(queries: Queries, key: MetaKey, value: string): void {
  queries.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
}

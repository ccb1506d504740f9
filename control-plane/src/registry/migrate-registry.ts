import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eq } from 'drizzle-orm';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { VERSION } from '../version.js';
import type { RegistryDatabase } from './registry-database.js';
import { RegistryError, toRegistryError } from './registry-error.js';
import { META_KEYS, writeMeta } from './registry-meta.js';
import { meta } from './schema.js';

const APPLIED_TABLE = '__drizzle_migrations';

/**
 * Brings the file to this program's schema, in one transaction or not at all.
 *
 * @throws {RegistryError} registry_newer when a newer program wrote it, registry_corrupt when it is no registry
 */
export function migrateRegistry(database: RegistryDatabase, folder: string = findMigrations()): void {
  const migrations = readMigrations(folder);
  refuseForeign(database);
  refuseNewer(database, migrations);
  try {
    // Rebuilding a table breaks references for a moment, and the pragma does nothing within a transaction.
    database.raw.pragma('foreign_keys = OFF');
    applyAll(database, migrations);
    database.raw.pragma('foreign_keys = ON');
  } catch (error) {
    throw toRegistryError(error, database.file);
  }
  // At every start: SQLite opens what it may not write for reading alone, and says so only at the first write.
  database.write((queries) => writeMeta(queries, META_KEYS.writtenBy, VERSION));
}

/**
 * As drizzle's own does it, in the table that it keeps. Its own rolls back a second time what SQLite undid when the disk
 * was full, and tells that error instead of the disk's.
 */
function applyAll({ raw }: RegistryDatabase, migrations: readonly MigrationMeta[]): void {
  raw
    .transaction(() => {
      raw.exec(
        `CREATE TABLE IF NOT EXISTS ${APPLIED_TABLE} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`,
      );
      const newest = Number(raw.prepare(`SELECT max(created_at) FROM ${APPLIED_TABLE}`).pluck().get() ?? 0);
      const note = raw.prepare(`INSERT INTO ${APPLIED_TABLE} (hash, created_at) VALUES (?, ?)`);
      for (const { sql, hash, folderMillis } of migrations) {
        if (folderMillis <= newest) continue;
        for (const statement of sql) raw.exec(statement);
        note.run(hash, folderMillis);
      }
    })
    .immediate();
}

/**
 * Whether this program can read a file's schema. Changes nothing.
 *
 * @returns how many migrations were applied to it, and how many this program knows
 * @throws {RegistryError} registry_newer, registry_corrupt
 */
export function judgeSchema(database: RegistryDatabase): {
  readonly applied: number;
  readonly known: number;
} {
  const migrations = readMigrations(findMigrations());
  refuseForeign(database);
  refuseNewer(database, migrations);
  const applied = database.raw.prepare(`SELECT count(*) FROM ${APPLIED_TABLE}`).pluck().get();
  return { applied: Number(applied), known: migrations.length };
}

/** Beside the package where it is shipped alone, else at the root of the checkout. */
function findMigrations(): string {
  const packaged = fileURLToPath(new URL('../../migrations', import.meta.url));
  return existsSync(packaged) ? packaged : fileURLToPath(new URL('../../../migrations', import.meta.url));
}

function readMigrations(folder: string): MigrationMeta[] {
  try {
    return readMigrationFiles({ migrationsFolder: folder });
  } catch (error) {
    const detail = `the registry's migrations cannot be read (${error instanceof Error ? error.message : String(error)})`;
    throw new RegistryError(
      'registry_failed',
      folder,
      detail,
      'install the control plane again: files of it are missing',
    );
  }
}

function refuseForeign(database: RegistryDatabase): void {
  const tables = listTables(database);
  if (tables.length === 0 || tables.includes(APPLIED_TABLE)) return;
  const detail = 'is a database of another program';
  throw new RegistryError(
    'registry_corrupt',
    database.file,
    detail,
    'move it away, or choose another directory with --data',
  );
}

function refuseNewer(database: RegistryDatabase, migrations: readonly MigrationMeta[]): void {
  if (!listTables(database).includes(APPLIED_TABLE)) return;
  const known = migrations.at(-1)?.folderMillis ?? 0;
  const applied = database.raw.prepare(`SELECT created_at FROM ${APPLIED_TABLE}`).pluck().all();
  if (applied.length <= migrations.length && applied.every((atMs) => Number(atMs) <= known)) return;
  const writtenBy = readWrittenBy(database);
  const detail =
    `has schema ${applied.length}, written by ai-fabric ${writtenBy}; ` +
    `this is ai-fabric ${VERSION}, which knows schema ${migrations.length} at most`;
  const fix = `start ai-fabric ${writtenBy} or newer, or restore a backup from before the upgrade`;
  throw new RegistryError('registry_newer', database.file, detail, fix);
}

/** A newer program may have changed even this table. */
function readWrittenBy(database: RegistryDatabase): string {
  try {
    const row = database.read((queries) =>
      queries.select({ value: meta.value }).from(meta).where(eq(meta.key, META_KEYS.writtenBy)).get(),
    );
    return row?.value.slice(0, 40) ?? 'of a newer version';
  } catch {
    return 'of a newer version';
  }
}

function listTables(database: RegistryDatabase): unknown[] {
  try {
    return database.raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
  } catch (error) {
    throw toRegistryError(error, database.file);
  }
}

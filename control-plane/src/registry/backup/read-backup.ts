import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { judgeSchema } from '../migrate-registry.js';
import { wrapDatabase } from '../registry-database.js';
import { RegistryError } from '../registry-error.js';
import { META_KEYS, readMeta } from '../registry-meta.js';
import {
  BackupError,
  type BackupInfo,
  backupInfoSchema,
  FILES_TABLE,
  FORMAT_VERSION,
  INFO_TABLE,
} from './backup-format.js';
import { findDamage } from './find-damage.js';

/** What is in a registry file, for people. */
export interface RegistrySummary {
  /** Migrations that were applied, and how many this program knows. */
  readonly schema: number;
  readonly knownSchema: number;
  readonly declaredRevision: number;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

export interface BackupSummary extends RegistrySummary {
  readonly info: BackupInfo;
  /** Whether certificate, key and admin token are in it. */
  readonly withSecrets: boolean;
  readonly sizeBytes: number;
}

const NOT_ONE = 'name a file that "ai-fabric backup" or the schedule made';

/**
 * Reads what a backup is, and checks that it is whole and that this program can restore it. Changes nothing.
 *
 * @throws {BackupError} backup_not_found, backup_corrupt, backup_newer
 */
export function readBackup(file: string): BackupSummary {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw new BackupError('backup_not_found', `${file}: there is no such file`, NOT_ONE);
  return withDatabase(file, (database) => {
    const names = listTables(database);
    if (!names.includes(INFO_TABLE) || !names.includes(FILES_TABLE)) {
      throw new BackupError('backup_corrupt', `${file}: is no backup of a control plane`, NOT_ONE);
    }
    const info = readInfo(database, file);
    const summary = summarise(database, file);
    const damage = findDamage(database);
    if (damage !== null) throw damaged(file, damage);
    const withSecrets = Number(database.prepare(`SELECT count(*) FROM ${FILES_TABLE}`).pluck().get()) > 0;
    return { ...summary, info, withSecrets, sizeBytes: stats.size };
  });
}

/** What is in a registry that is there, `null` when it cannot be read: then it is kept aside as it is. */
export function readRegistrySummary(file: string): RegistrySummary | null {
  try {
    return withDatabase(file, (database) => summarise(database, file));
  } catch {
    return null;
  }
}

function withDatabase<Result>(file: string, read: (database: Database.Database) => Result): Result {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true });
    return read(database);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    if (error instanceof RegistryError && error.code === 'registry_newer') {
      throw new BackupError('backup_newer', error.message, error.fix);
    }
    throw damaged(file, error instanceof Error ? error.message : String(error));
  } finally {
    database?.close();
  }
}

function readInfo(database: Database.Database, file: string): BackupInfo {
  const rows = database.prepare(`SELECT key, value FROM ${INFO_TABLE}`).raw().all() as [string, string][];
  const parsed = backupInfoSchema.safeParse(Object.fromEntries(rows));
  if (!parsed.success) throw damaged(file, 'it does not say what it is');
  const { formatVersion, madeBy } = parsed.data;
  if (formatVersion > FORMAT_VERSION) {
    const detail = `${file}: has format ${formatVersion}, made by ai-fabric ${madeBy}; this program knows format ${FORMAT_VERSION} at most`;
    throw new BackupError('backup_newer', detail, `restore it with ai-fabric ${madeBy} or newer`);
  }
  return parsed.data;
}

function summarise(database: Database.Database, file: string): RegistrySummary {
  const wrapped = wrapDatabase(database, file);
  const { applied, known } = judgeSchema(wrapped);
  const own = listTables(database).filter((name) => !/^(sqlite_|__drizzle|backup_)/.test(name));
  const count = (name: string): number =>
    Number(database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get());
  return {
    schema: applied,
    knownSchema: known,
    declaredRevision: wrapped.read((queries) => Number(readMeta(queries, META_KEYS.declaredRevision) ?? 0)),
    rows: Object.fromEntries(own.map((name) => [name, count(name)])),
  };
}

function listTables(database: Database.Database): string[] {
  const query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
  return database.prepare(query).pluck().all() as string[];
}

function damaged(file: string, detail: string): BackupError {
  return new BackupError('backup_corrupt', `${file}: is damaged or is no backup (${detail})`, NOT_ONE);
}

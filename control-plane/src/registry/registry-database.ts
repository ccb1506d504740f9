import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';
import { prepareDatabaseFile } from './data-directory.js';
import { toRegistryError } from './registry-error.js';

/** What stores ask through: the same inside and outside a transaction. */
export type Queries = BaseSQLiteDatabase<'sync', Database.RunResult>;

export interface RegistryDatabase {
  readonly file: string;
  /** @throws {RegistryError} */
  read<Result>(work: (queries: Queries) => Result): Result;
  /** One transaction, begun for writing: committed when `work` returns, undone when it throws. @throws {RegistryError} */
  write<Result>(work: (queries: Queries) => Result): Result;
  /** SQL of the migrations and pragmas, for those who open the file. */
  readonly raw: Database.Database;
  close(): void;
}

export interface DatabaseOptions {
  /** How long a call waits for a lock, blocking its thread. */
  readonly busyTimeoutMs: number;
  /**
   * `full`: on the disk when a write returns. `normal`: a power cut may take the last moments, never the file's
   * consistency, and a crash of the process takes nothing.
   */
  readonly durability: 'full' | 'normal';
}

/** The journal shrinks to this after a burst. */
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Opens the registry file, making an empty one where there is none.
 *
 * @throws {RegistryError} that names the file and the fix
 */
export function openRegistryDatabase(file: string, options: DatabaseOptions): RegistryDatabase {
  prepareDatabaseFile(file);
  let raw: Database.Database | undefined;
  try {
    raw = new Database(file, { timeout: options.busyTimeoutMs });
    raw.pragma('journal_mode = WAL');
    raw.pragma(`synchronous = ${options.durability}`);
    raw.pragma('foreign_keys = ON');
    raw.pragma('trusted_schema = OFF');
    raw.pragma('temp_store = MEMORY');
    raw.pragma(`journal_size_limit = ${JOURNAL_LIMIT_BYTES}`);
    return wrap(raw, file);
  } catch (error) {
    raw?.close();
    throw toRegistryError(error, file);
  }
}

/** How long a reader waits for a lock: only recovery after a crash holds one against readers. */
const READER_BUSY_TIMEOUT_MS = 1_000;
/** The reader comes and goes; its pages are in the system's cache as well. */
const READER_CACHE_KIB = 4_096;

/**
 * A connection that can change nothing, for the reader thread.
 *
 * @throws SQLite's errors, as they are
 */
export function openReadOnly(file: string): Database.Database {
  const raw = new Database(file, { readonly: true, fileMustExist: true, timeout: READER_BUSY_TIMEOUT_MS });
  raw.pragma('query_only = ON');
  raw.pragma('trusted_schema = OFF');
  raw.pragma('temp_store = MEMORY');
  raw.pragma(`cache_size = -${READER_CACHE_KIB}`);
  return raw;
}

function wrap(raw: Database.Database, file: string): RegistryDatabase {
  const queries = drizzle(raw);
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw toRegistryError(error, file);
    }
  };
  return {
    file,
    raw,
    read: (work) => guarded(() => work(queries)),
    write: (work) => guarded(() => queries.transaction((tx) => work(tx), { behavior: 'immediate' })),
    close: () => raw.close(),
  };
}

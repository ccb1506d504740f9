import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';
import { prepareDatabaseFile } from '../data-directory.js';
import { toRegistryError } from '../registry-error.js';
import {
  BackupError,
  type BackupFileName,
  type BackupInfo,
  FILES_TABLE,
  INFO_TABLE,
} from './backup-format.js';
import { findDamage } from './find-damage.js';

export interface BackupOrder {
  readonly registryFile: string;
  /** Must not be there yet. */
  readonly file: string;
  readonly info: BackupInfo;
  readonly files: Readonly<Partial<Record<BackupFileName, string>>>;
}

export interface BackupResult {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Some 4 MB at a time: between two steps the thread hears that it is to end. */
const PAGES_PER_STEP = 1_000;

/**
 * Copies a registry that is being written to, completes the copy to a backup and checks it. Leaves no file behind
 * when it fails.
 *
 * @throws {BackupError}
 */
export async function copyRegistry(order: BackupOrder): Promise<BackupResult> {
  try {
    prepareDatabaseFile(order.file);
    await copyPages(order);
    complete(order);
    sync(order.file);
    return { sizeBytes: statSync(order.file).size, sha256: await digest(order.file) };
  } catch (error) {
    for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${order.file}${suffix}`, { force: true });
    throw toBackupError(error, order.file);
  }
}

/** Within one read transaction: else each write of the running control plane would make the copy begin anew. */
async function copyPages({ registryFile, file }: BackupOrder): Promise<void> {
  const source = new Database(registryFile, { readonly: true, fileMustExist: true });
  try {
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_master').get();
    await source.backup(file, { progress: () => PAGES_PER_STEP });
  } finally {
    source.close();
  }
}

function complete({ registryFile, file, info, files }: BackupOrder): void {
  const copy = new Database(file);
  try {
    // The copy is one file: what it says of a journal beside it is the original's.
    copy.pragma('journal_mode = DELETE');
    const damage = findDamage(copy);
    if (damage !== null) {
      const fix = 'keep the backups that are there; stop the control plane and restore the newest sound one';
      throw new BackupError('backup_corrupt', `the registry ${registryFile} is damaged: ${damage}`, fix);
    }
    copy.transaction(() => {
      copy.exec(`CREATE TABLE ${INFO_TABLE} (key TEXT PRIMARY KEY, value TEXT NOT NULL)`);
      copy.exec(`CREATE TABLE ${FILES_TABLE} (name TEXT PRIMARY KEY, content TEXT NOT NULL)`);
      const addInfo = copy.prepare(`INSERT INTO ${INFO_TABLE} VALUES (?, ?)`);
      for (const [key, value] of Object.entries(info)) addInfo.run(key, String(value));
      const addFile = copy.prepare(`INSERT INTO ${FILES_TABLE} VALUES (?, ?)`);
      for (const [name, content] of Object.entries(files)) addFile.run(name, content);
    })();
  } finally {
    copy.close();
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function toBackupError(error: unknown, file: string): BackupError {
  if (error instanceof BackupError) return error;
  const { code, message, fix } = toRegistryError(error, file);
  if (code === 'registry_full') {
    return new BackupError(
      'backup_full',
      message,
      'make room on that disk; nothing was changed and nothing is left there',
    );
  }
  if (code === 'registry_corrupt') return new BackupError('backup_corrupt', message, fix);
  return new BackupError(
    'backup_failed',
    message,
    'give the user that runs the control plane write access to that directory, and try again',
  );
}

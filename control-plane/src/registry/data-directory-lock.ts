import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import type { DataDirectoryLayout } from '../config/data-directory-layout.js';
import { prepareDatabaseFile } from './data-directory.js';
import { RegistryError, toRegistryError } from './registry-error.js';

export interface DataDirectoryLock {
  release(): void;
}

/**
 * Takes the data directory for this process. The lock is SQLite's on a file of its own: the operating system lets
 * go of it however the process ends, so a crash leaves nothing to clean up.
 *
 * @throws {RegistryError} registry_in_use naming the process that has it, or why the lock cannot be made
 */
export function lockDataDirectory(
  layout: Pick<DataDirectoryLayout, 'lockFile' | 'processIdFile'>,
  log: Logger,
): DataDirectoryLock {
  prepareDatabaseFile(layout.lockFile);
  const lock = withLockFile(layout, {}, (file) => file.exec('BEGIN EXCLUSIVE'));
  try {
    writeFileSync(layout.processIdFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    // The lock holds without it; only the message of a second start says less.
    log.warn(
      { file: layout.processIdFile, error: String(error) },
      'the process id could not be written down',
    );
  }
  return {
    release: () => {
      rmSync(layout.processIdFile, { force: true });
      lock.close();
    },
  };
}

/**
 * Looks whether `lockDataDirectory` would be given the lock now; changes nothing. Never in a process that has it:
 * closing the file lets go of it.
 *
 * @throws {RegistryError} registry_in_use naming the process that has it, or why the lock cannot be looked at
 */
export function checkDataDirectoryUnused(
  layout: Pick<DataDirectoryLayout, 'lockFile' | 'processIdFile'>,
): void {
  if (!existsSync(layout.lockFile)) return;
  withLockFile(layout, { readonly: true }, (file) => file.pragma('schema_version')).close();
}

function withLockFile(
  { lockFile, processIdFile }: Pick<DataDirectoryLayout, 'lockFile' | 'processIdFile'>,
  options: Database.Options,
  act: (file: Database.Database) => void,
): Database.Database {
  let file: Database.Database | undefined;
  try {
    file = new Database(lockFile, { ...options, timeout: 0 });
    act(file);
    return file;
  } catch (error) {
    file?.close();
    const failure = toRegistryError(error, lockFile);
    if (failure.code !== 'registry_busy') throw failure;
    const detail = `another control plane${readHolder(processIdFile)} runs on this data directory`;
    const fix = 'stop that one, or choose another directory with --data';
    throw new RegistryError('registry_in_use', dirname(lockFile), detail, fix);
  }
}

function readHolder(processIdFile: string): string {
  try {
    const processId = readFileSync(processIdFile, 'utf8').trim();
    return /^[0-9]{1,10}$/.test(processId) ? ` (process ${processId})` : '';
  } catch {
    return '';
  }
}

import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { RegistryError, toRegistryError } from './registry-error.js';

/**
 * Makes the data directory, for its owner alone, unless it is there.
 *
 * @throws {RegistryError} data_directory_unusable, registry_read_only, registry_full
 */
export function prepareDataDirectory(directory: string): void {
  try {
    makeDirectory(resolve(directory));
    if (!statSync(directory).isDirectory()) throw notADirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw notADirectory(directory);
    throw toRegistryError(error, directory);
  }
}

/**
 * Makes an empty file for its owner alone; SQLite gives its journal files the same mode. An existing file is left
 * alone, and not even opened: closing it again would let go of every lock that this process has on it (POSIX).
 */
export function prepareDatabaseFile(file: string): void {
  try {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    else closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw toRegistryError(error, file);
  }
}

/** Level by level: Node's own `recursive` never returns where a parent is there and refuses with ENOENT, as /proc does. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
}

function notADirectory(path: string): RegistryError {
  const fix = 'name a directory with --data';
  return new RegistryError('data_directory_unusable', path, 'is a file, not a directory', fix);
}

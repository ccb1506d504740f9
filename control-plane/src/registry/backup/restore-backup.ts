import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { dataDirectoryLayout } from '../../config/data-directory-layout.js';
import { prepareDataDirectory } from '../data-directory.js';
import { checkDataDirectoryUnused, lockDataDirectory } from '../data-directory-lock.js';
import { toRegistryError } from '../registry-error.js';
import { BackupError, type BackupFileName, FILES_TABLE, INFO_TABLE } from './backup-format.js';
import { findDamage } from './find-damage.js';
import { type BackupSummary, type RegistrySummary, readBackup, readRegistrySummary } from './read-backup.js';

export interface RestorePlan {
  readonly backup: BackupSummary;
  /** What is in the data directory now and gives way; empty for a new one. */
  readonly replaces: readonly string[];
  /** The registry that gives way; `null`: there is none, or it cannot be read. */
  readonly formerRegistry: RegistrySummary | null;
}

export interface Restored extends RestorePlan {
  /** Where what gave way is kept; `null` when nothing did. */
  readonly keptIn: string | null;
}

/** Looks at a backup and at the data directory that it is meant for. Changes nothing. @throws {BackupError} */
export function planRestore(file: string, dataDirectory: string): RestorePlan {
  const backup = readBackup(file);
  const { registryFile } = dataDirectoryLayout(dataDirectory);
  const replaces = itemsOf(dataDirectory, backup.withSecrets).filter((path) => existsSync(path));
  const formerRegistry = existsSync(registryFile) ? readRegistrySummary(registryFile) : null;
  return { backup, replaces: replaces.map((path) => basename(path)), formerRegistry };
}

/** What `restoreBackup` would be refused for now. Changes nothing. @throws {RegistryError} registry_in_use */
export function checkRestorable(dataDirectory: string): void {
  checkDataDirectoryUnused(dataDirectoryLayout(dataDirectory));
}

/**
 * Puts a backup into a data directory. What was there is moved aside within it and not deleted; when anything
 * fails, it is moved back.
 *
 * @throws {BackupError} that says why the backup cannot be used
 * @throws {RegistryError} registry_in_use: a control plane runs there; or why the directory cannot be used
 */
export function restoreBackup(
  file: string,
  dataDirectory: string,
  around: { readonly nowMs: number; readonly log: Logger },
): Restored {
  const plan = planRestore(file, dataDirectory);
  const undo = noteNewPaths(dataDirectory);
  try {
    prepareDataDirectory(dataDirectory);
    return { ...plan, keptIn: restoreLocked(file, dataDirectory, plan, around) };
  } catch (error) {
    undo();
    throw explainFullDisk(error, dataDirectory, plan.backup.sizeBytes);
  }
}

function restoreLocked(
  file: string,
  dataDirectory: string,
  plan: RestorePlan,
  { nowMs, log }: { readonly nowMs: number; readonly log: Logger },
): string | null {
  const lock = lockDataDirectory(dataDirectoryLayout(dataDirectory), log);
  let draft: string | null = null;
  try {
    draft = newDraft(dataDirectory);
    stage(file, draft);
    return exchange(dataDirectory, draft, plan, nowMs);
  } finally {
    if (draft !== null) rmSync(draft, { recursive: true, force: true });
    lock.release();
  }
}

/** @returns deletes the lock and the directories that were not there before, unless something else is in them */
function noteNewPaths(dataDirectory: string): () => void {
  const { lockFile } = dataDirectoryLayout(dataDirectory);
  const isNewLock = !existsSync(lockFile);
  const missing: string[] = [];
  for (let path = resolve(dataDirectory); !existsSync(path); path = dirname(path)) missing.push(path);
  return () => {
    if (isNewLock) for (const suffix of ['', '-journal']) rmSync(`${lockFile}${suffix}`, { force: true });
    try {
      for (const path of missing) rmdirSync(path);
    } catch {
      // It is not empty: what is there is somebody else's. Or it was never made.
    }
  };
}

function explainFullDisk(error: unknown, dataDirectory: string, sizeBytes: number): unknown {
  if (toRegistryError(error, dataDirectory).code !== 'registry_full') return error;
  const mib = Math.ceil(sizeBytes / 1024 ** 2);
  const fix = `make room for ${mib} MiB and some more on that disk, or name a directory on another with --data; nothing was changed`;
  return new BackupError('backup_full', `${dataDirectory}: the disk is full`, fix);
}

const DRAFT_PREFIX = '.restore-';

/** What a restore left there that was killed goes: it holds secrets. */
function newDraft(dataDirectory: string): string {
  for (const name of readdirSync(dataDirectory)) {
    if (name.startsWith(DRAFT_PREFIX)) rmSync(join(dataDirectory, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(dataDirectory, DRAFT_PREFIX));
}

/** What a restore puts its own in the place of. The lock is held and stays. */
function itemsOf(dataDirectory: string, withSecrets: boolean): string[] {
  const { registryFile, endpointFile, certificateDirectory, adminTokenFile } =
    dataDirectoryLayout(dataDirectory);
  const registry = [registryFile, `${registryFile}-wal`, `${registryFile}-shm`, endpointFile];
  return withSecrets ? [...registry, certificateDirectory, adminTokenFile] : registry;
}

/** Makes a data directory of the backup: the registry as it was, and the files that were kept with it. */
function stage(file: string, draft: string): void {
  const layout = dataDirectoryLayout(draft);
  copyFileSync(file, layout.registryFile);
  chmodSync(layout.registryFile, 0o600);
  const copy = new Database(layout.registryFile);
  try {
    const rows = copy.prepare(`SELECT name, content FROM ${FILES_TABLE}`).raw().all();
    // What is dropped must not stay readable in pages that nobody uses.
    copy.pragma('secure_delete = ON');
    copy.exec(`DROP TABLE ${FILES_TABLE}; DROP TABLE ${INFO_TABLE}`);
    const damage = findDamage(copy);
    if (damage !== null) {
      throw new BackupError(
        'backup_corrupt',
        `the copy of ${file} is damaged: ${damage}`,
        'look at the disk, and try again',
      );
    }
    writeFiles(layout, new Map(rows as [BackupFileName, string][]));
  } finally {
    copy.close();
  }
  sync(layout.registryFile);
}

function writeFiles(
  layout: ReturnType<typeof dataDirectoryLayout>,
  files: ReadonlyMap<BackupFileName, string>,
): void {
  if (files.size === 0) return;
  mkdirSync(layout.certificateDirectory, { mode: 0o700 });
  const paths: Readonly<Record<BackupFileName, string>> = {
    'certificate.pem': join(layout.certificateDirectory, 'certificate.pem'),
    'key.pem': join(layout.certificateDirectory, 'key.pem'),
    'admin.token': layout.adminTokenFile,
  };
  for (const [name, content] of files) {
    // A name that only a later program knows.
    if (!Object.hasOwn(paths, name)) continue;
    writeFileSync(paths[name], content, { mode: 0o600, flag: 'wx' });
    sync(paths[name]);
  }
}

/** @returns where what gave way is now */
function exchange(dataDirectory: string, draft: string, plan: RestorePlan, nowMs: number): string | null {
  const former = itemsOf(dataDirectory, plan.backup.withSecrets).filter((path) => existsSync(path));
  const keptIn = former.length === 0 ? null : makeKeep(dataDirectory, nowMs);
  const moved: { readonly from: string; readonly to: string }[] = [];
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    moved.push({ from, to });
  };
  try {
    for (const path of former) if (keptIn !== null) move(path, join(keptIn, basename(path)));
    for (const path of itemsOf(draft, plan.backup.withSecrets)) {
      if (existsSync(path)) move(path, join(dataDirectory, basename(path)));
    }
    return keptIn;
  } catch (error) {
    for (const { from, to } of moved.reverse()) renameSync(to, from);
    if (keptIn !== null) rmdirSync(keptIn);
    throw error;
  }
}

function makeKeep(dataDirectory: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let count = 1; ; count += 1) {
    const directory = join(dataDirectory, `.before-restore-${stamp}${count === 1 ? '' : `-${count}`}`);
    if (existsSync(directory)) continue;
    mkdirSync(directory, { mode: 0o700 });
    return directory;
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

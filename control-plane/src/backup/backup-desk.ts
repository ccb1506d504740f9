import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock, Timer } from '@ai-fabric/shared';
import type { DataDirectoryLayout } from '../config/data-directory-layout.js';
import { BackupError, type BackupFileName, FORMAT_VERSION } from '../registry/backup/backup-format.js';
import { type MakeBackup, makeBackupInThread } from '../registry/backup/backup-thread.js';
import type { BackupResult } from '../registry/backup/copy-registry.js';
import { VERSION } from '../version.js';

export interface MadeBackup extends BackupResult {
  readonly file: string;
  readonly madeAtMs: number;
}

export interface BackupDraft extends MadeBackup {
  /** Deletes the file. Safe to call twice. */
  discard(): void;
}

export interface BackupDeskParts {
  readonly layout: DataDirectoryLayout;
  readonly certificateSha256: string;
  readonly clock: Clock;
  readonly make?: MakeBackup;
}

/** Who takes one that slowly leaves room for others; each is a full copy of the registry. */
const MAX_DRAFTS = 4;
const DRAFT_LIFE_MS = 3_600_000;

/** Makes backups of the running control plane, one at a time. */
export class BackupDesk {
  readonly #parts: BackupDeskParts;
  #busy = false;
  #drafts = 0;

  constructor(parts: BackupDeskParts) {
    this.#parts = parts;
    // What a process left there that was killed: full copies of the registry.
    rmSync(parts.layout.backupDraftsDirectory, { recursive: true, force: true });
  }

  /**
   * Into a file of its own, which whoever asked gives back; nobody keeps one for longer than an hour.
   *
   * @throws {BackupError}
   */
  async draft(withSecrets: boolean): Promise<BackupDraft> {
    const { clock, layout } = this.#parts;
    if (this.#drafts >= MAX_DRAFTS) {
      const fix = 'try again when they have been taken';
      throw new BackupError('backup_in_progress', `${MAX_DRAFTS} backups are being taken`, fix);
    }
    this.#drafts += 1;
    let timer: Timer | null = null;
    let file: string | null = null;
    let kept = true;
    const discard = (): void => {
      if (!kept) return;
      kept = false;
      this.#drafts -= 1;
      timer?.cancel();
      if (file !== null) rmSync(file, { force: true });
    };
    try {
      file = join(prepareDrafts(layout.backupDraftsDirectory), `${randomBytes(8).toString('hex')}.sqlite`);
      const made = await this.make(file, withSecrets);
      timer = clock.after(DRAFT_LIFE_MS, discard);
      return { ...made, discard };
    } catch (error) {
      discard();
      throw error;
    }
  }

  /** Into a file that is not there yet; none is left when it fails. @throws {BackupError} */
  async make(file: string, withSecrets: boolean): Promise<MadeBackup> {
    if (this.#busy) {
      throw new BackupError(
        'backup_in_progress',
        'another backup is being made',
        'try again when it is done',
      );
    }
    const directory = dirname(file);
    if (!existsSync(directory)) {
      throw new BackupError('backup_failed', `${directory}: is not there`, 'make it, or mount what holds it');
    }
    this.#busy = true;
    try {
      const { clock, layout, certificateSha256, make = makeBackupInThread } = this.#parts;
      const madeAtMs = clock.nowMs();
      const result = await make({
        registryFile: layout.registryFile,
        file,
        info: {
          ...{ formatVersion: FORMAT_VERSION, madeAtMs, madeBy: VERSION, madeOn: hostname() },
          certificateSha256,
        },
        files: withSecrets ? readSecrets(layout) : {},
      });
      return { ...result, file, madeAtMs };
    } finally {
      this.#busy = false;
    }
  }
}

function prepareDrafts(directory: string): string {
  try {
    mkdirSync(directory, { mode: 0o700, recursive: true });
    return directory;
  } catch (error) {
    const message = `${directory}: ${error instanceof Error ? error.message : String(error)}`;
    throw new BackupError('backup_failed', message, 'look at the disk that holds the data directory');
  }
}

function readSecrets(layout: DataDirectoryLayout): Partial<Record<BackupFileName, string>> {
  const paths: Readonly<Record<BackupFileName, string>> = {
    'certificate.pem': join(layout.certificateDirectory, 'certificate.pem'),
    'key.pem': join(layout.certificateDirectory, 'key.pem'),
    'admin.token': layout.adminTokenFile,
  };
  const there = Object.entries(paths).filter(([, path]) => existsSync(path));
  return Object.fromEntries(there.map(([name, path]) => [name, readFileSync(path, 'utf8')]));
}

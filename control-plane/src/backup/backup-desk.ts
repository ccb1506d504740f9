import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@ai-fabric/shared';
import type { DataDirectoryLayout } from '../config/data-directory-layout.js';
import { BackupError, type BackupFileName, FORMAT_VERSION } from '../registry/backup/backup-format.js';
import { type MakeBackup, makeBackupInThread } from '../registry/backup/backup-thread.js';
import type { BackupResult } from '../registry/backup/copy-registry.js';
import { VERSION } from '../version.js';

export interface MadeBackup extends BackupResult {
  readonly file: string;
  readonly madeAtMs: number;
}

export interface BackupDeskParts {
  readonly layout: DataDirectoryLayout;
  readonly certificateSha256: string;
  readonly clock: Clock;
  readonly make?: MakeBackup;
}

/** Makes backups of the running control plane, one at a time. */
export class BackupDesk {
  readonly #parts: BackupDeskParts;
  #busy = false;

  constructor(parts: BackupDeskParts) {
    this.#parts = parts;
    // What a process left there that was killed: full copies of the registry.
    rmSync(parts.layout.backupDraftsDirectory, { recursive: true, force: true });
  }

  /** Into a file of its own, which whoever asked deletes. @throws {BackupError} */
  async draft(withSecrets: boolean): Promise<MadeBackup> {
    const { backupDraftsDirectory } = this.#parts.layout;
    try {
      mkdirSync(backupDraftsDirectory, { mode: 0o700, recursive: true });
    } catch (error) {
      const message = `${backupDraftsDirectory}: ${error instanceof Error ? error.message : String(error)}`;
      throw new BackupError('backup_failed', message, 'look at the disk that holds the data directory');
    }
    return this.make(join(backupDraftsDirectory, `${randomBytes(8).toString('hex')}.sqlite`), withSecrets);
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

function readSecrets(layout: DataDirectoryLayout): Partial<Record<BackupFileName, string>> {
  const paths: Readonly<Record<BackupFileName, string>> = {
    'certificate.pem': join(layout.certificateDirectory, 'certificate.pem'),
    'key.pem': join(layout.certificateDirectory, 'key.pem'),
    'admin.token': layout.adminTokenFile,
  };
  const there = Object.entries(paths).filter(([, path]) => existsSync(path));
  return Object.fromEntries(there.map(([name, path]) => [name, readFileSync(path, 'utf8')]));
}

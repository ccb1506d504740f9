import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { normaliseCertificateSha256, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { BackupError } from '../registry/backup/backup-format.js';
import { type BackupResult, copyRegistry } from '../registry/backup/copy-registry.js';
import { lockDataDirectory } from '../registry/data-directory-lock.js';
import { BackupDesk } from './backup-desk.js';

/**
 * A backup of a control plane that does not run, straight from its data directory, which is locked meanwhile. A file of
 * that name gives way once the new one is whole.
 *
 * @throws {BackupError} why none can be made
 * @throws {RegistryError} registry_in_use: a control plane runs there
 */
export async function backUpStopped(
  dataDirectory: string,
  file: string,
  withSecrets: boolean,
): Promise<BackupResult> {
  const layout = dataDirectoryLayout(dataDirectory);
  if (!existsSync(layout.registryFile)) {
    const fix = 'name the data directory of a control plane with --data';
    throw new BackupError('backup_not_found', `${layout.registryFile}: there is no registry`, fix);
  }
  const lock = lockDataDirectory(layout, pino({ level: 'silent' }));
  const draft = `${file}.partial`;
  try {
    const certificateSha256 = readCertificateSha256(join(layout.certificateDirectory, 'certificate.pem'));
    const desk = new BackupDesk({ layout, certificateSha256, clock: systemClock(), make: copyRegistry });
    rmSync(draft, { force: true });
    const { sizeBytes, sha256 } = await desk.make(draft, withSecrets);
    renameSync(draft, file);
    return { sizeBytes, sha256 };
  } finally {
    rmSync(draft, { force: true });
    lock.release();
  }
}

/** Empty where a control plane never came so far as to make one. */
function readCertificateSha256(file: string): string {
  if (!existsSync(file)) return '';
  return normaliseCertificateSha256(new X509Certificate(readFileSync(file)).fingerprint256);
}

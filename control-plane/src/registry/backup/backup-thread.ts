import { Worker } from 'node:worker_threads';
import { findWorker } from '../../find-worker.js';
import { BackupError, type BackupErrorCode } from './backup-format.js';
import type { BackupOrder, BackupResult } from './copy-registry.js';

export type BackupAnswer =
  | { readonly ok: true; readonly result: BackupResult }
  | {
      readonly ok: false;
      readonly code: BackupErrorCode;
      readonly message: string;
      readonly fix: string;
    };

export type MakeBackup = (order: BackupOrder) => Promise<BackupResult>;

/**
 * Makes a backup in a thread of its own, which lives no longer: nothing stalls meanwhile.
 *
 * @throws {BackupError}
 */
export function makeBackupInThread(
  order: BackupOrder,
  workerUrl: URL = findWorker('registry/backup/backup-worker.js'),
): Promise<BackupResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl, { workerData: order, execArgv: [] });
    worker.on('message', (answer: BackupAnswer) => {
      if (answer.ok) resolve(answer.result);
      else reject(new BackupError(answer.code, answer.message, answer.fix));
    });
    const ended = (reason: string): void =>
      reject(new BackupError('backup_failed', `the copying thread ended: ${reason}`, 'try again'));
    worker.on('error', (error) => ended(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => ended(`code ${code}`));
  });
}

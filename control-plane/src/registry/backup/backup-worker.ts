import { parentPort, workerData } from 'node:worker_threads';
import { BackupError } from './backup-format.js';
import type { BackupAnswer } from './backup-thread.js';
import { type BackupOrder, copyRegistry } from './copy-registry.js';

/** A thread for one backup: it ends when it has answered. */
async function run(): Promise<BackupAnswer> {
  try {
    return { ok: true, result: await copyRegistry(workerData as BackupOrder) };
  } catch (error) {
    if (error instanceof BackupError)
      return { ok: false, code: error.code, message: error.message, fix: error.fix };
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, code: 'backup_failed', message, fix: 'look at the log of the control plane' };
  }
}

void run().then((answer) => parentPort?.postMessage(answer));

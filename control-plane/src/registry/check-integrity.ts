import { Worker } from 'node:worker_threads';
import type { Clock } from '@ai-fabric/shared';
import { findWorker } from '../find-worker.js';

export type RegistryIntegrity =
  | { readonly kind: 'sound'; readonly tookMs: number }
  | { readonly kind: 'damaged'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'slow'; readonly afterMs: number };

/**
 * Whether the registry file is sound (`PRAGMA quick_check`), in a thread of its own: it reads all of the file. Works
 * on the file of a control plane that runs as on that of one that does not. Never throws.
 */
export function checkIntegrity(
  registryFile: string,
  deadlineMs: number,
  clock: Clock,
): Promise<RegistryIntegrity> {
  return new Promise((resolve) => {
    const worker = new Worker(findWorker('registry/integrity-worker.js'), {
      workerData: { registryFile },
      execArgv: [],
    });
    const timer = clock.after(deadlineMs, () => {
      // SQLite cannot be interrupted from here: it ends by itself, and keeps nobody.
      worker.unref();
      resolve({ kind: 'slow', afterMs: deadlineMs });
    });
    let fact: RegistryIntegrity = { kind: 'unreadable', detail: 'the thread that reads it ended' };
    worker.once('message', (told: RegistryIntegrity) => {
      fact = told;
    });
    worker.once('error', (error) => {
      fact = { kind: 'unreadable', detail: String(error) };
    });
    // Not before: until then it holds the file.
    worker.once('exit', () => {
      timer.cancel();
      resolve(fact);
    });
  });
}

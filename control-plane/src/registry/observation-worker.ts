import { parentPort, workerData } from 'node:worker_threads';
import { applyObservations, pruneEvents } from './apply-observations.js';
import type {
  FromObservationWorker,
  ObservationWorkerData,
  ToObservationWorker,
} from './observation-protocol.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import { toRegistryError } from './registry-error.js';

/** The worker thread behind `ObservationWriter`: its own connection, one transaction per batch. */

const BUSY_TIMEOUT_MS = 5_000;
const MAX_PRUNE_CHUNKS = 20;

const { registryFile } = workerData as ObservationWorkerData;
let database: RegistryDatabase | null = null;

/** Opened at the first use, and tried again at the next where that failed: what was in the way may be gone. */
function open(): RegistryDatabase {
  database ??= openRegistryDatabase(registryFile, { busyTimeoutMs: BUSY_TIMEOUT_MS, durability: 'normal' });
  return database;
}

function write(message: Extract<ToObservationWorker, { kind: 'write' }>): FromObservationWorker {
  const { batchId, observations } = message;
  try {
    open().write((queries) => applyObservations(queries, observations));
    return { kind: 'written', batchId };
  } catch (error) {
    const { code, message: detail } = toRegistryError(error, registryFile);
    return { kind: 'failed', batchId, code, detail };
  }
}

function prune(nowMs: number): FromObservationWorker | null {
  try {
    for (let chunk = 0; chunk < MAX_PRUNE_CHUNKS; chunk += 1) {
      if (!open().write((queries) => pruneEvents(queries, nowMs))) break;
    }
    return null;
  } catch (error) {
    return { kind: 'pruneFailed', detail: toRegistryError(error, registryFile).message };
  }
}

function answer(message: FromObservationWorker | null): void {
  if (message) parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToObservationWorker) => {
  switch (message.kind) {
    case 'write':
      answer(write(message));
      return;
    case 'prune':
      answer(prune(message.nowMs));
      return;
    case 'close':
      database?.close();
      parentPort?.close();
      return;
    default:
      message satisfies never;
  }
});

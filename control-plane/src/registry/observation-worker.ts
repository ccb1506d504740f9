import { parentPort, workerData } from 'node:worker_threads';
import { applyObservations, pruneEvents } from './apply-observations.js';
import { RequestTables } from './apply-requests.js';
import type {
  FromObservationWorker,
  ObservationWorkerData,
  ToObservationWorker,
} from './observation-protocol.js';
import { RequestPruner } from './prune-requests.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import { toRegistryError } from './registry-error.js';

/** The worker thread behind `ObservationWriter`: its own connection, one transaction per batch. */

const BUSY_TIMEOUT_MS = 5_000;
const MAX_PRUNE_CHUNKS = 20;
/** Beside the chunk that follows each batch. */
const MAX_REQUEST_CHUNKS = 100;

const { registryFile, runId } = workerData as ObservationWorkerData;
let database: RegistryDatabase | null = null;
let requestLog: { readonly tables: RequestTables; readonly pruner: RequestPruner } | null = null;

/** Opened at the first use, and tried again at the next where that failed: what was in the way may be gone. */
function open(): RegistryDatabase {
  database ??= openRegistryDatabase(registryFile, { busyTimeoutMs: BUSY_TIMEOUT_MS, durability: 'normal' });
  return database;
}

function write(message: Extract<ToObservationWorker, { kind: 'write' }>): FromObservationWorker {
  const { batchId, nowMs, observations, requests } = message;
  try {
    open().write((queries) => {
      if (observations.length > 0) applyObservations(queries, observations);
      if (requests.length === 0) return;
      openRequestLog().tables.apply(requests, { runId, batchId });
      openRequestLog().pruner.prune(nowMs);
    });
    return { kind: 'written', batchId };
  } catch (error) {
    requestLog?.tables.forgetNames();
    const { code, message: detail } = toRegistryError(error, registryFile);
    return { kind: 'failed', batchId, code, detail };
  }
}

function openRequestLog() {
  const { raw } = open();
  requestLog ??= { tables: new RequestTables(raw), pruner: new RequestPruner(raw) };
  return requestLog;
}

function prune(nowMs: number): FromObservationWorker | null {
  try {
    for (let chunk = 0; chunk < MAX_PRUNE_CHUNKS; chunk += 1) {
      if (!open().write((queries) => pruneEvents(queries, nowMs))) break;
    }
    for (let chunk = 0; chunk < MAX_REQUEST_CHUNKS; chunk += 1) {
      if (!open().write(() => openRequestLog().pruner.prune(nowMs))) break;
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

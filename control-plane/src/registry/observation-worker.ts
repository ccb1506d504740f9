import { parentPort, workerData } from 'node:worker_threads';
import { applyObservations, pruneEvents } from './apply-observations.js';
import { RequestTables } from './apply-requests.js';
import { TelemetryTables } from './apply-telemetry.js';
import { isLearned, isSeen } from './decide/observation-queue.js';
import { unpackRequests } from './decide/request-pack.js';
import { applyLearned, pruneLearned } from './learned-store.js';
import type {
  FromObservationWorker,
  ObservationWorkerData,
  ToObservationWorker,
} from './observation-protocol.js';
import { prunePower } from './power-store.js';
import { RequestPruner } from './prune-requests.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import { toRegistryError } from './registry-error.js';

/** The worker thread behind `ObservationWriter`: its own connection, one transaction per batch. */

const BUSY_TIMEOUT_MS = 5_000;
const MAX_PRUNE_CHUNKS = 20;
/** Beside the chunk that follows each batch. */
const MAX_REQUEST_CHUNKS = 100;
/** Rows that one transaction deletes, some milliseconds; and how many of those an hour brings at most. */
const TELEMETRY_CHUNK = 200;
const MAX_TELEMETRY_CHUNKS = 500;

const { registryFile, runId } = workerData as ObservationWorkerData;
let database: RegistryDatabase | null = null;
let requestLog: { readonly tables: RequestTables; readonly pruner: RequestPruner } | null = null;
let telemetry: TelemetryTables | null = null;

/** Opened at the first use, and tried again at the next where that failed: what was in the way may be gone. */
function open(): RegistryDatabase {
  database ??= openRegistryDatabase(registryFile, { busyTimeoutMs: BUSY_TIMEOUT_MS, durability: 'normal' });
  return database;
}

function write(message: Extract<ToObservationWorker, { kind: 'write' }>): FromObservationWorker {
  const { batchId, nowMs, observations, requests } = message;
  const minutes = observations.filter((each) => each.kind === 'telemetryMinute');
  const learned = observations.filter(isLearned);
  const others = observations.filter(isSeen);
  try {
    open().write((queries) => {
      if (others.length > 0) applyObservations(queries, others);
      applyLearned(queries, learned);
      if (minutes.length > 0) telemetryTables().apply(minutes, nowMs);
      if (requests.length === 0) return;
      openRequestLog().tables.apply(requests.flatMap(unpackRequests), { runId, batchId });
      openRequestLog().pruner.pruneAfterBatch(nowMs);
    });
    return { kind: 'written', batchId };
  } catch (error) {
    requestLog?.tables.forgetNames();
    telemetry?.forgetSeries();
    const { code, message: detail } = toRegistryError(error, registryFile);
    return { kind: 'failed', batchId, code, detail };
  }
}

function openRequestLog() {
  const { raw } = open();
  requestLog ??= { tables: new RequestTables(raw), pruner: new RequestPruner(raw) };
  return requestLog;
}

function telemetryTables(): TelemetryTables {
  telemetry ??= new TelemetryTables(open().raw);
  return telemetry;
}

function prune(nowMs: number): FromObservationWorker | null {
  try {
    for (let chunk = 0; chunk < MAX_PRUNE_CHUNKS; chunk += 1) {
      if (!open().write((queries) => pruneEvents(queries, nowMs))) break;
    }
    for (let chunk = 0; chunk < MAX_PRUNE_CHUNKS; chunk += 1) {
      if (!open().write((queries) => pruneLearned(queries, nowMs))) break;
    }
    for (let chunk = 0; chunk < MAX_PRUNE_CHUNKS; chunk += 1) {
      if (!open().write((queries) => prunePower(queries, nowMs))) break;
    }
    for (let chunk = 0; chunk < MAX_REQUEST_CHUNKS; chunk += 1) {
      if (!open().write(() => openRequestLog().pruner.prune(nowMs))) break;
    }
    pruneTelemetry(nowMs);
    return null;
  } catch (error) {
    return { kind: 'pruneFailed', detail: toRegistryError(error, registryFile).message };
  }
}

/** Of hosts that still report, each row that is written takes the place of an old one: this is for the others. */
function pruneTelemetry(nowMs: number): void {
  let fromKey: number | null = 0;
  for (let deleted = 0; fromKey !== null && deleted < MAX_TELEMETRY_CHUNKS; ) {
    const key: number = fromKey;
    const next = open().write(() => telemetryTables().prune(key, nowMs, TELEMETRY_CHUNK));
    if (next === key) deleted += 1;
    fromKey = next;
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

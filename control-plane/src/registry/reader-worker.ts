import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { FromReaderWorker, ReaderWorkerData, ToReaderWorker } from './reader-protocol.js';
import { readerQueries } from './reader-queries.js';
import { openReadOnly } from './registry-database.js';
import { toRegistryError } from './registry-error.js';

/** The worker thread behind `RegistryReader`: its own read-only connection, one query at a time. */

const { registryFile } = workerData as ReaderWorkerData;
let database: Database.Database | null = null;

function answer(message: Extract<ToReaderWorker, { kind: 'query' }>): FromReaderWorker {
  const { queryId, name, params } = message;
  try {
    database ??= openReadOnly(registryFile);
    // The owner's `query` has checked that name and parameters belong together; a message has lost that.
    const run = readerQueries[name] as (database: Database.Database, params: unknown) => unknown;
    return { kind: 'answered', queryId, result: run(database, params) };
  } catch (error) {
    const { code, detail, fix } = toRegistryError(error, registryFile);
    return { kind: 'failed', queryId, code, detail, fix };
  }
}

parentPort?.on('message', (message: ToReaderWorker) => {
  switch (message.kind) {
    case 'query':
      parentPort?.postMessage(answer(message));
      return;
    case 'close':
      database?.close();
      parentPort?.close();
      return;
    default:
      message satisfies never;
  }
});

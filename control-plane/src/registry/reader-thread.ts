import { findWorker } from '../find-worker.js';
import type { FromReaderWorker, ReaderWorkerData, ToReaderWorker } from './reader-protocol.js';
import { type RegistryThread, type RegistryThreadEvents, startRegistryThread } from './registry-thread.js';

/** The reader's thread as its owner sees it. */
export type ReaderThread = Omit<RegistryThread<ToReaderWorker>, 'keepAlive'>;
export type ReaderThreadEvents = RegistryThreadEvents<FromReaderWorker>;
export type StartReaderThread = (events: ReaderThreadEvents) => ReaderThread;

/** @param workerUrl the compiled worker */
export function readerThreads(
  data: ReaderWorkerData,
  workerUrl: URL = findWorker('registry/reader-worker.js'),
): StartReaderThread {
  return (events) => startRegistryThread(workerUrl, data, events);
}

import { findWorker } from '../find-worker.js';
import type {
  FromObservationWorker,
  ObservationWorkerData,
  ToObservationWorker,
} from './observation-protocol.js';
import { type RegistryThread, type RegistryThreadEvents, startRegistryThread } from './registry-thread.js';

/** The worker thread as its owner sees it. */
export type ObservationThread = RegistryThread<ToObservationWorker>;
export type ObservationThreadEvents = RegistryThreadEvents<FromObservationWorker>;
export type StartObservationThread = (events: ObservationThreadEvents) => ObservationThread;

/** @param workerUrl the compiled worker */
export function observationThreads(
  data: ObservationWorkerData,
  workerUrl: URL = findWorker('registry/observation-worker.js'),
): StartObservationThread {
  return (events) => startRegistryThread(workerUrl, data, events);
}

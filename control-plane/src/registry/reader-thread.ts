import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FromReaderWorker, ReaderWorkerData, ToReaderWorker } from './reader-protocol.js';

/** The reader's thread as its owner sees it. */
export interface ReaderThread {
  post(message: ToReaderWorker): void;
  /** Ends it as soon as SQLite lets go of it; `onEnd` is called as after any end. */
  terminate(): void;
}

export interface ReaderThreadEvents {
  readonly onMessage: (message: FromReaderWorker) => void;
  /** Called once, however it ended. */
  readonly onEnd: (reason: string) => void;
}

export type StartReaderThread = (events: ReaderThreadEvents) => ReaderThread;

const YOUNG_GENERATION_MB = 3;

/** @param workerUrl the compiled worker */
export function readerThreads(data: ReaderWorkerData, workerUrl: URL = findWorker()): StartReaderThread {
  return ({ onMessage, onEnd }) => {
    const worker = new Worker(workerUrl, {
      workerData: data,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let reason = 'ended by itself';
    worker.on('message', onMessage);
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => onEnd(reason));
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => void worker.terminate(),
    };
  };
}

/** A worker cannot run TypeScript: from the sources, as tests do, it is the one that was built last. */
function findWorker(): URL {
  const built = fileURLToPath(import.meta.url).endsWith('.ts') ? '../../dist/registry/' : './';
  return new URL(`${built}reader-worker.js`, import.meta.url);
}

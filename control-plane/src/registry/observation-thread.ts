import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type {
  FromObservationWorker,
  ObservationWorkerData,
  ToObservationWorker,
} from './observation-protocol.js';

/** The worker thread as its owner sees it. */
export interface ObservationThread {
  post(message: ToObservationWorker): void;
  /** From now on the process lives until the thread has ended. */
  keepAlive(): void;
  /** Ends it at once; `onEnd` is called as after any end. */
  terminate(): void;
}

export interface ObservationThreadEvents {
  readonly onMessage: (message: FromObservationWorker) => void;
  /** Called once, however it ended. */
  readonly onEnd: (reason: string) => void;
}

const YOUNG_GENERATION_MB = 3;

export type StartObservationThread = (events: ObservationThreadEvents) => ObservationThread;

/** @param workerUrl the compiled worker */
export function observationThreads(
  data: ObservationWorkerData,
  workerUrl: URL = findWorker(),
): StartObservationThread {
  return ({ onMessage, onEnd }) => {
    const worker = new Worker(workerUrl, {
      workerData: data,
      // Flags that the process was started with are not the worker's: `--eval` and its like would end it at once.
      execArgv: [],
      // Rows are small and die with their batch: left alone, V8 would give them 48 MB to die in.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let reason = 'ended by itself';
    worker.on('message', onMessage);
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => onEnd(reason));
    // The sockets keep the process alive, not what is written behind their back.
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: () => worker.ref(),
      terminate: () => void worker.terminate(),
    };
  };
}

/** A worker cannot run TypeScript: from the sources, as tests do, it is the one that was built last. */
function findWorker(): URL {
  const built = fileURLToPath(import.meta.url).endsWith('.ts') ? '../../dist/registry/' : './';
  return new URL(`${built}observation-worker.js`, import.meta.url);
}

import { Worker } from 'node:worker_threads';

/** A thread as its owner sees it. */
export interface RegistryThread<Message> {
  post(message: Message): void;
  /** From now on the process lives until the thread has ended. */
  keepAlive(): void;
  /** Ends it as soon as SQLite lets go of it; `onEnd` is called as after any end. */
  terminate(): void;
}

export interface RegistryThreadEvents<Answer> {
  readonly onMessage: (answer: Answer) => void;
  /** Called once, however it ended. */
  readonly onEnd: (reason: string) => void;
}

/** Rows are small and die with their batch or answer: left alone, V8 would give them 48 MB to die in. */
const YOUNG_GENERATION_MB = 3;

/** Starts a thread that lives as long as its owner wants it, but keeps no process alive by itself. */
export function startRegistryThread<Message, Answer>(
  workerUrl: URL,
  workerData: unknown,
  { onMessage, onEnd }: RegistryThreadEvents<Answer>,
): RegistryThread<Message> {
  const worker = new Worker(workerUrl, {
    workerData,
    // Flags that the process was started with are not the worker's: `--eval` and its like would end it at once.
    execArgv: [],
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
}

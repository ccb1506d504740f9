import type { Logger } from 'pino';
import type { ContainerEngine } from '../../containers/container-engine.js';
import { type LoadProgress, readLoadProgress, readWeightBytes } from './decide/read-load-progress.js';

export interface LoadWatchOptions {
  readonly engine: ContainerEngine;
  readonly log: Logger;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly onWeights: (bytes: number) => void;
}

const TAIL_LINES = 100;

/** Follows the log of a container that loads. Nothing is kept of it but what it says of how far it is. */
export class LoadWatch {
  readonly #options: LoadWatchOptions;
  #watched: { readonly run: string; readonly stop: AbortController } | null = null;

  constructor(options: LoadWatchOptions) {
    this.#options = options;
  }

  /** @param run names one run of one container: the same again changes nothing */
  follow(id: string, run: string): void {
    if (this.#watched?.run === run) return;
    this.stop();
    const stop = new AbortController();
    this.#watched = { run, stop };
    void this.#read(id, stop.signal);
  }

  stop(): void {
    this.#watched?.stop.abort();
    this.#watched = null;
  }

  async #read(id: string, signal: AbortSignal): Promise<void> {
    const { engine, log, onProgress, onWeights } = this.#options;
    try {
      for await (const { text } of engine.logs(id, { follow: true, tailLines: TAIL_LINES }, signal)) {
        if (signal.aborted) return;
        const progress = readLoadProgress(text);
        if (progress !== null) onProgress(progress);
        const weights = readWeightBytes(text);
        if (weights !== null) onWeights(weights);
      }
    } catch (error) {
      if (!signal.aborted) log.debug({ error: String(error) }, 'replica: its log cannot be followed');
    }
  }
}

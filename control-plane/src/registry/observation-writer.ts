import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { ObservationQueue } from './decide/observation-queue.js';
import type { RequestPack } from './decide/request-pack.js';
import { PACK_ROWS, RequestQueue } from './decide/request-queue.js';
import type { FromObservationWorker } from './observation-protocol.js';
import type { ObservationThread, StartObservationThread } from './observation-thread.js';
import type { Observation, ObservationWriter, TelemetryMinute } from './registry-types.js';
import type { RequestLog, RequestRow } from './request-types.js';

/** At most this many rows hold the file's lock at once: some milliseconds. */
const MAX_BATCH = 200;
const GATHER_MS = 250;
const MAX_ATTEMPTS = 3;
const RETRY_MS = 1_000;
/** A worker that says nothing for so long is stuck (a disk that hangs); it waits 5 s for a lock by itself. */
const ANSWER_DEADLINE_MS = 20_000;
const DRAIN_DEADLINE_MS = 3_000;
const END_DEADLINE_MS = 1_000;
const PRUNE_MS = 3_600_000;
const LOG_AGAIN_MS = 60_000;
/** Minutes of telemetry: some kilobytes each. */
const BOUNDS = { latest: 10_000, events: 5_000, telemetry: 5_000 };
/** About half a kilobyte each. */
const MAX_REQUESTS = 10_000;

interface Batch {
  readonly batchId: number;
  readonly observations: readonly Observation[];
  readonly requests: readonly RequestPack[];
  attempts: number;
}

export interface ObservationWriterParts {
  readonly startThread: StartObservationThread;
  readonly clock: Clock;
  readonly log: Logger;
}

type Dropped = 'observations' | 'requests';

/**
 * Hands observations and the request log to a worker thread, a batch at a time. Whatever happens to the disk or the
 * worker happens behind the back of those who enqueue: they see how much was dropped, the log sees why.
 */
export class ThreadedObservationWriter implements ObservationWriter {
  readonly requestLog: RequestLog;
  readonly #parts: ObservationWriterParts;
  readonly #queue = new ObservationQueue(BOUNDS);
  readonly #requests = new RequestQueue(MAX_REQUESTS);
  readonly #pruning: Timer;
  #thread: ObservationThread | null = null;
  /** Being written, or to be tried again. Only one at a time. */
  #batch: Batch | null = null;
  #batchCount = 0;
  /** The next write; while one is under way, the deadline of its answer. */
  #timer: Timer | null = null;
  #closed = false;
  #onDrained: () => void = () => {};
  #onThreadEnd: () => void = () => {};
  readonly #dropped = { observations: 0, requests: 0 };
  readonly #told = { observations: 0, requests: 0 };
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ObservationWriterParts) {
    this.#parts = parts;
    this.#pruning = parts.clock.every(PRUNE_MS, () => {
      this.#thread?.post({ kind: 'prune', nowMs: parts.clock.nowMs() });
    });
    const writer = this;
    this.requestLog = {
      append: (row) => this.#append(row),
      get queuedCount() {
        return writer.#requests.rowCount + rowsOf(writer.#batch);
      },
      get droppedCount() {
        return writer.#dropped.requests;
      },
    };
  }

  get queuedCount(): number {
    return this.#queue.size + (this.#batch?.observations.length ?? 0);
  }

  waitingTelemetry(): TelemetryMinute[] {
    const underWay = this.#batch?.observations.filter((each) => each.kind === 'telemetryMinute') ?? [];
    return [...underWay, ...this.#queue.telemetry];
  }

  get droppedCount(): number {
    return this.#dropped.observations;
  }

  enqueue(observation: Observation): void {
    if (this.#closed) {
      this.#drop('observations', 1, 'the control plane stops');
      return;
    }
    const lost = this.#queue.add(observation);
    if (lost > 0) this.#drop('observations', lost, 'too many wait to be written');
    this.#gather();
  }

  #append(row: RequestRow): void {
    if (this.#closed) {
      this.#drop('requests', 1, 'the control plane stops');
      return;
    }
    const lost = this.#requests.add(row);
    if (lost > 0) this.#drop('requests', lost, 'too many wait to be written');
    this.#gather();
  }

  #gather(): void {
    if (!this.#batch && !this.#timer) this.#wait(GATHER_MS, () => this.#writeNext());
  }

  /** Writes what waits, for a bounded time, and ends the worker. What is left counts as dropped. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pruning.cancel();
    this.#thread?.keepAlive();
    await this.#drain();
    const left = { observations: this.queuedCount, requests: this.requestLog.queuedCount };
    this.#batch = null;
    const reason = 'the control plane stops and they could not be written';
    this.#drop('observations', left.observations, reason);
    this.#drop('requests', left.requests, reason);
    await this.#endThread();
  }

  #wait(delayMs: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(delayMs, () => {
      this.#timer = null;
      run();
    });
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #writeNext(): void {
    this.#stopWaiting();
    if (this.#batch === null) {
      // Neither waits for ever behind the other: where both are many, each has half.
      const maxRows = MAX_BATCH - Math.min(this.#queue.size, MAX_BATCH / 2);
      const requests = this.#requests.take(Math.floor(maxRows / PACK_ROWS));
      const observations = this.#queue.take(MAX_BATCH - PACK_ROWS * requests.length);
      if (observations.length + requests.length === 0) {
        this.#onDrained();
        return;
      }
      this.#batchCount += 1;
      this.#batch = { batchId: this.#batchCount, observations, requests, attempts: 0 };
    }
    this.#send(this.#batch);
  }

  #send(batch: Batch): void {
    batch.attempts += 1;
    try {
      this.#thread ??= this.#startThread();
    } catch (error) {
      this.#onFailure(`the writing thread cannot be started: ${String(error)}`);
      return;
    }
    const { batchId, observations, requests } = batch;
    this.#thread.post({
      kind: 'write',
      batchId,
      nowMs: this.#parts.clock.nowMs(),
      observations,
      requests,
    });
    this.#wait(ANSWER_DEADLINE_MS, () => this.#thread?.terminate());
  }

  #startThread(): ObservationThread {
    const thread = this.#parts.startThread({
      onMessage: (message) => this.#onMessage(message),
      // A thread is replaced only after it has ended, so that this is always about the present one.
      onEnd: (reason) => {
        this.#thread = null;
        this.#onThreadEnd();
        this.#onFailure(`the writing thread ended: ${reason}`);
      },
    });
    if (this.#closed) thread.keepAlive();
    return thread;
  }

  #onMessage(message: FromObservationWorker): void {
    if (message.kind === 'pruneFailed') {
      this.#parts.log.warn({ reason: message.detail }, 'old events of hosts could not be deleted');
    } else if (message.batchId !== this.#batch?.batchId) {
      return;
    } else if (message.kind === 'failed') {
      this.#onFailure(message.detail);
    } else {
      this.#batch = null;
      this.#continue(GATHER_MS);
    }
  }

  #onFailure(reason: string): void {
    const batch = this.#batch;
    if (!batch) return;
    if (batch.attempts < MAX_ATTEMPTS) {
      this.#wait(RETRY_MS * batch.attempts, () => this.#writeNext());
      return;
    }
    this.#batch = null;
    this.#drop('observations', batch.observations.length, reason);
    this.#drop('requests', rowsOf(batch), reason);
    this.#continue(RETRY_MS * MAX_ATTEMPTS);
  }

  /** A full batch is worth writing at once; fewer wait for company, unless nothing more can come. */
  #continue(delayMs: number): void {
    this.#stopWaiting();
    const waiting = this.#queue.size + this.#requests.rowCount;
    if (this.#closed || waiting >= MAX_BATCH) this.#writeNext();
    else if (waiting > 0) this.#wait(delayMs, () => this.#writeNext());
  }

  #drop(what: Dropped, count: number, reason: string): void {
    if (count === 0) return;
    this.#dropped[what] += count;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#toldAtMs < LOG_AGAIN_MS) return;
    const droppedNow = this.#dropped.observations - this.#told.observations;
    const droppedRequestRowsNow = this.#dropped.requests - this.#told.requests;
    this.#toldAtMs = nowMs;
    Object.assign(this.#told, this.#dropped);
    this.#parts.log.warn(
      { droppedNow, droppedRequestRowsNow, droppedSinceStart: { ...this.#dropped }, reason },
      'observations of hosts or rows of the request log were dropped; requests are not affected',
    );
  }

  /** Resolves when nothing waits any more, or at the deadline. */
  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = this.#parts.clock.after(DRAIN_DEADLINE_MS, resolve);
      this.#onDrained = () => {
        deadline.cancel();
        resolve();
      };
      if (!this.#batch) this.#writeNext();
    });
  }

  #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#stopWaiting();
    if (!thread) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onThreadEnd = () => {
        this.#stopWaiting();
        resolve();
      };
      thread.post({ kind: 'close' });
      this.#wait(END_DEADLINE_MS, () => thread.terminate());
    });
  }
}

function rowsOf(batch: Batch | null): number {
  return batch?.requests.reduce((sum, { rowCount }) => sum + rowCount, 0) ?? 0;
}

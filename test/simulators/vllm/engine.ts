import type { Clock, Timer } from '@ai-fabric/shared';
import { BatchPace, type PacedWork } from './batch-pace.js';
import { EngineCounters, type FinishedReason } from './engine-counters.js';
import { decodeStepMs, prefillMs } from './engine-model.js';
import { GaugeHistory, type Gauges } from './gauge-history.js';
import type { VllmSettings } from './options.js';
import { PrefixCache } from './prefix-cache.js';

/** More requests wait than `--max-num-queued-reqs` allows. */
export class QueueFullError extends Error {}

export interface Job {
  readonly prompt: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Added before each token. */
  readonly tokenDelayMs: number;
}

/** A job in the engine. Whoever submits one runs it, and that gives its slot back on every path. */
export class Sequence {
  readonly job: Job;
  readonly submittedMs: number;
  cachedTokens = 0;
  generatedTokens = 0;
  aborted = false;
  /** Its part of a batch; `null`: there is none. */
  work: PacedWork | null = null;
  /** Wakes whatever the sequence waits for: its slot, or its next token. */
  wake: () => void = () => {};

  constructor(job: Job, submittedMs: number) {
    this.job = job;
    this.submittedMs = submittedMs;
  }
}

const NO_LOAD: Gauges = { running: 0, waiting: 0, kvUsage: 0 };

/** The engine process: slots, a queue, timings and counters. A restart makes a new one. */
export class Engine {
  readonly counters = new EngineCounters();
  readonly startedAtMs: number;
  dead = false;
  /** Sleep mode, level 1. */
  asleep = false;
  readonly #settings: VllmSettings;
  readonly #clock: Clock;
  readonly #cache: PrefixCache | null;
  readonly #history: GaugeHistory;
  readonly #batch: BatchPace | null;
  readonly #running = new Set<Sequence>();
  readonly #waiting: Sequence[] = [];
  #external = NO_LOAD;

  constructor(settings: VllmSettings) {
    this.#settings = settings;
    this.#clock = settings.clock;
    this.startedAtMs = settings.clock.nowMs();
    this.#cache = settings.prefixCaching ? new PrefixCache(settings.blockTokens, settings.gpuBlocks) : null;
    this.#batch = settings.batch === null ? null : new BatchPace(settings.batch, settings.clock);
    this.#history = new GaugeHistory(settings.clock, {
      lagMs: settings.gaugeLagMs,
      coldMs: settings.gaugeColdMs,
    });
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  set external(load: Gauges) {
    this.#external = load;
    this.#record();
  }

  /** The gauges as `/metrics` shows them now. */
  shownGauges(): Gauges {
    return this.#history.shown();
  }

  /** @throws QueueFullError when there is neither a slot nor a place in the queue */
  submit(job: Job): Sequence {
    const sequence = new Sequence(job, this.#clock.monotonicMs());
    if (this.running < this.#settings.maxConcurrent) this.#running.add(sequence);
    else if (this.waiting < this.#settings.maxQueuedRequests) this.#waiting.push(sequence);
    else {
      this.counters.queueRejections += 1;
      throw new QueueFullError(`${this.waiting} requests wait already`);
    }
    this.#record();
    return sequence;
  }

  /** Ends a sequence early, as the client's disconnect does. */
  abort(sequence: Sequence): void {
    sequence.aborted = true;
    sequence.wake();
  }

  /**
   * Waits for the slot, then brings the tokens about at the pace of the load.
   *
   * @param onToken answers false to end early
   * @returns false when it was ended early
   */
  async run(
    sequence: Sequence,
    reason: FinishedReason,
    onToken: (index: number) => Promise<boolean>,
  ): Promise<boolean> {
    let whole = false;
    try {
      while (!this.#running.has(sequence) && !sequence.aborted) await this.#pause(sequence, null);
      whole = !sequence.aborted && (await this.#generate(sequence, onToken));
    } finally {
      this.#leave(sequence);
      this.counters.finished[whole ? reason : 'abort'] += 1;
    }
    return whole;
  }

  async #generate(sequence: Sequence, onToken: (index: number) => Promise<boolean>): Promise<boolean> {
    const { counters } = this;
    const { job } = sequence;
    const speed = this.#settings.speed;
    const startedMs = this.#clock.monotonicMs();
    sequence.cachedTokens = this.#cache?.take(job.prompt) ?? 0;
    counters.prefixQueries += job.promptTokens;
    counters.prefixHits += sequence.cachedTokens;
    const uncached = job.promptTokens - sequence.cachedTokens;
    const work = this.#beginInBatch(sequence, uncached);
    let dueMs = startedMs + prefillMs(speed, uncached, this.#load());
    let firstMs = startedMs;
    let previousMs = startedMs;
    for (let index = 0; index < job.outputTokens; index += 1) {
      if (index > 0) dueMs += decodeStepMs(speed, this.#load());
      dueMs += job.tokenDelayMs;
      if (work === null) await this.#until(sequence, dueMs);
      else while (work.tokens <= index && !sequence.aborted) await this.#pause(sequence, null);
      if (sequence.aborted) return false;
      const nowMs = this.#clock.monotonicMs();
      sequence.generatedTokens += 1;
      counters.generationTokens += 1;
      if (index === 0) {
        firstMs = nowMs;
        this.#countFirst(sequence, startedMs, nowMs);
      } else counters.interToken.observe((nowMs - previousMs) / 1000);
      previousMs = nowMs;
      if (!(await onToken(index))) return false;
    }
    this.#countLast(sequence, startedMs, firstMs);
    return true;
  }

  /** `null`: this engine has a pace of its own for each request. */
  #beginInBatch(sequence: Sequence, promptTokens: number): PacedWork | null {
    if (this.#batch === null) return null;
    const work: PacedWork = {
      ...{ promptTokens, answerTokens: sequence.job.outputTokens, pieces: [], leaves: null, tokens: 0 },
      onToken: () => sequence.wake(),
    };
    sequence.work = work;
    this.#batch.begin(work);
    return work;
  }

  #countFirst(sequence: Sequence, startedMs: number, nowMs: number): void {
    const { counters } = this;
    counters.promptTokens += sequence.job.promptTokens;
    counters.cachedPromptTokens += sequence.cachedTokens;
    counters.queue.observe((startedMs - sequence.submittedMs) / 1000);
    counters.prefill.observe((nowMs - startedMs) / 1000);
    counters.timeToFirstToken.observe((nowMs - sequence.submittedMs) / 1000);
    this.#record();
  }

  #countLast(sequence: Sequence, startedMs: number, firstMs: number): void {
    const { counters } = this;
    const nowMs = this.#clock.monotonicMs();
    const decodeSeconds = (nowMs - firstMs) / 1000;
    counters.decode.observe(decodeSeconds);
    counters.inference.observe((nowMs - startedMs) / 1000);
    counters.endToEnd.observe((nowMs - sequence.submittedMs) / 1000);
    counters.timePerOutputToken.observe(decodeSeconds / Math.max(1, sequence.generatedTokens - 1));
    counters.requestPromptTokens.observe(sequence.job.promptTokens);
    counters.requestGenerationTokens.observe(sequence.generatedTokens);
  }

  #leave(sequence: Sequence): void {
    this.#running.delete(sequence);
    if (sequence.work !== null) this.#batch?.leave(sequence.work);
    const place = this.#waiting.indexOf(sequence);
    if (place >= 0) this.#waiting.splice(place, 1);
    while (this.running < this.#settings.maxConcurrent) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#running.add(next);
      next.wake();
    }
    this.#record();
  }

  #load(): number {
    return this.#running.size + this.#external.running;
  }

  #record(): void {
    let usedTokens = 0;
    for (const { job, generatedTokens } of this.#running) usedTokens += job.promptTokens + generatedTokens;
    const capacity = this.#settings.blockTokens * this.#settings.gpuBlocks;
    this.#history.record({
      running: this.#running.size + this.#external.running,
      waiting: this.#waiting.length + this.#external.waiting,
      kvUsage: Math.min(1, usedTokens / capacity + this.#external.kvUsage),
    });
  }

  /** Waits until a moment of the clock. A moment that has passed costs no timer. */
  async #until(sequence: Sequence, dueMs: number): Promise<void> {
    const leftMs = dueMs - this.#clock.monotonicMs();
    if (leftMs > 0) await this.#pause(sequence, leftMs);
  }

  /** Waits for `wake()`, and no longer than `delayMs` where that is given. */
  #pause(sequence: Sequence, delayMs: number | null): Promise<void> {
    if (sequence.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: Timer | null = null;
      sequence.wake = () => {
        timer?.cancel();
        sequence.wake = () => {};
        resolve();
      };
      if (delayMs !== null) timer = this.#clock.after(delayMs, () => sequence.wake());
    });
  }
}

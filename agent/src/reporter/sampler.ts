import {
  type Clock,
  type EngineReading,
  emptyHostReading,
  type GpuReading,
  type HostReading,
  type Issue,
  type TelemetrySample,
} from '@ai-fabric/shared';
import { issuesOf, type Sensor, type SensorResult } from '../sensors/sensor.js';
import type { AgentTime } from './agent-time.js';
import { settleWithin } from './settle-within.js';

export interface ReplicaReadings {
  /** Asks the engines anew and waits no longer than `waitMs`. */
  refreshReadings(waitMs: number): Promise<void>;
  readings(): Record<string, EngineReading>;
}

export interface SamplerOptions {
  readonly host: Sensor<HostReading>;
  readonly gpus: Sensor<Readonly<Record<string, GpuReading>>>;
  readonly replicas: ReplicaReadings;
  readonly time: AgentTime;
  readonly clock: Clock;
  readonly hostCadenceMs: number;
  readonly signal: AbortSignal;
}

/** A busy moment is not "unknown": so many cadences long the reading before stands in for one that is late. */
const HOST_KEPT_CADENCES = 3;
/** A tick that comes a little early is the one that was meant. */
const SLACK_MS = 100;

/** Puts one sample together from all sensors. */
export class Sampler {
  readonly #options: SamplerOptions;
  #host: HostReading = { ...emptyHostReading };
  #hostIssues: readonly Issue[] = [];
  /** When the reading was asked for. */
  #hostReadMs = Number.NEGATIVE_INFINITY;
  #hostDueMs = Number.NEGATIVE_INFINITY;
  #gpus: Record<string, GpuReading> = {};
  #gpuIssues: readonly Issue[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  get hostIssues(): readonly Issue[] {
    return this.#hostIssues;
  }

  get gpuIssues(): readonly Issue[] {
    return this.#gpuIssues;
  }

  get gpus(): Readonly<Record<string, GpuReading>> {
    return this.#gpus;
  }

  get host(): HostReading {
    return this.#host;
  }

  /** UUIDs of the cards that have a reading. */
  get cards(): readonly string[] {
    return Object.keys(this.#gpus);
  }

  /**
   * Reads what is due. The sample is stamped when the engines have answered: their queues are what age worst.
   *
   * @param waitMs for what hangs; what is late is in the next sample. Not less than a cadence: a shorter timer, cancelled
   *   or not, wakes the process a second time in each.
   */
  async read(waitMs: number): Promise<TelemetrySample> {
    await Promise.all([
      this.#readHost(waitMs),
      this.#readGpus(waitMs),
      this.#options.replicas.refreshReadings(waitMs),
    ]);
    return this.latest();
  }

  /** A sample of what is known, without asking anybody. */
  latest(): TelemetrySample {
    return {
      atMs: this.#options.time.stamp(),
      host: this.#host,
      gpus: this.#gpus,
      replicas: this.#options.replicas.readings(),
    };
  }

  async #readHost(waitMs: number): Promise<void> {
    const { host, clock, hostCadenceMs, signal } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#hostDueMs - SLACK_MS) return;
    this.#hostDueMs = nowMs + hostCadenceMs;
    // One that is late is taken when it comes.
    const taken = host.read(signal).then((result) => this.#takeHost(result, nowMs));
    const isLate = (await settleWithin(taken, waitMs, clock)) === null;
    if (!isLate || clock.monotonicMs() - this.#hostReadMs <= HOST_KEPT_CADENCES * hostCadenceMs) return;
    this.#host = { ...emptyHostReading };
    this.#hostIssues = [];
  }

  #takeHost(result: SensorResult<HostReading>, readMs: number): true {
    if (readMs < this.#hostReadMs) return true;
    this.#hostReadMs = readMs;
    this.#host = result.ok ? result.reading : { ...emptyHostReading };
    this.#hostIssues = issuesOf(result);
    return true;
  }

  async #readGpus(waitMs: number): Promise<void> {
    const { gpus, clock, signal } = this.#options;
    const result = await settleWithin(gpus.read(signal), waitMs, clock);
    this.#gpus = result?.ok ? { ...result.reading } : {};
    this.#gpuIssues = result ? issuesOf(result) : [];
  }
}

import type { Clock, EngineReading, Issue } from '@ai-fabric/shared';
import { engineReadingSensor } from '../../sensors/engine/engine-reading.js';
import { type ClosableSensor, issuesOf } from '../../sensors/sensor.js';
import { type EngineAddress, engineUrl } from '../engine-address.js';

/**
 * A reading that is older is of no use to anybody: a queue may have come and gone in between. Read every two seconds, and
 * one that is late by one, it is no older.
 */
const READING_FRESH_MS = 3_500;
/** One page of metrics may be late on a busy engine. */
const FAILURES_ALLOWED = 2;

/** The metrics of the engine in a container, wherever it listens by now. */
export class EngineReadings {
  readonly #deployment: string;
  readonly #clock: Clock;
  readonly #onFailure: () => void;
  #sensor: { readonly url: string; readonly source: ClosableSensor<EngineReading> } | null = null;
  #reading: { readonly value: EngineReading; readonly atMs: number } | null = null;
  #issues: readonly Issue[] = [];
  #failures = 0;
  #refreshing: Promise<void> | null = null;

  constructor(deployment: string, clock: Clock, onFailure: () => void) {
    this.#deployment = deployment;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  latest(): EngineReading | null {
    if (this.#reading === null) return null;
    return this.#clock.monotonicMs() - this.#reading.atMs <= READING_FRESH_MS ? this.#reading.value : null;
  }

  /** Requests in the engine; `null`: it does not tell. */
  async load(address: EngineAddress | null, signal: AbortSignal): Promise<number | null> {
    await this.refresh(address, signal);
    const reading = this.latest();
    return reading?.running == null ? null : reading.running + (reading.waiting ?? 0);
  }

  issues(isReady: boolean): readonly Issue[] {
    return isReady && this.#failures > FAILURES_ALLOWED ? this.#issues : [];
  }

  /** A page that takes longer than a cadence is one reading, however often it was asked for. */
  async refresh(address: EngineAddress | null, signal: AbortSignal): Promise<void> {
    if (address === null) return;
    this.#refreshing ??= this.#read(address, signal).finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }

  async close(): Promise<void> {
    await this.#sensor?.source.close();
  }

  async #read(address: EngineAddress, signal: AbortSignal): Promise<void> {
    const result = await this.#open(engineUrl(address)).read(signal);
    if (signal.aborted) return;
    this.#issues = issuesOf(result);
    if (result.ok) {
      this.#reading = { value: result.reading, atMs: this.#clock.monotonicMs() };
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    this.#onFailure();
  }

  #open(url: string): ClosableSensor<EngineReading> {
    if (this.#sensor?.url !== url) {
      void this.#sensor?.source.close();
      this.#failures = 0;
      this.#reading = null;
      const source = engineReadingSensor({ deployment: this.#deployment, url, clock: this.#clock });
      this.#sensor = { url, source };
    }
    return this.#sensor.source;
  }
}

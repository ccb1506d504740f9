import type { EngineReading } from '@ai-fabric/shared';
import { telemetryFields } from './telemetry-fields.js';

/** Over a longer silence an increase belongs to nobody knows when. */
const MAX_GAP_MS = 60_000;

const counters = [
  'promptTokensTotal',
  'cachedPromptTokensTotal',
  'generationTokensTotal',
  'preemptionsTotal',
  'timeToFirstTokenSecondsSum',
  'timeToFirstTokenCount',
  'interTokenSecondsSum',
  'interTokenCount',
] as const satisfies readonly (keyof EngineReading)[];

const TTFT_SUM = 4;
const TTFT_COUNT = 5;
const INTER_SUM = 6;
const INTER_COUNT = 7;

/**
 * Makes what a replica did out of its engine's totals: rates and means between each reading and the one before it. An
 * engine that started anew counts from 0 again.
 */
export class CounterRates {
  #atMs = Number.NEGATIVE_INFINITY;
  readonly #totals = new Float64Array(counters.length).fill(Number.NaN);
  readonly #grown = new Float64Array(counters.length);

  /** @param values gets the replica's fields in their order; NaN where there is none */
  take(atMs: number, reading: EngineReading, values: Float64Array): void {
    const elapsedMs = atMs - this.#atMs;
    const usable = elapsedMs > 0 && elapsedMs <= MAX_GAP_MS;
    for (let index = 0; index < counters.length; index += 1) {
      const total = reading[counters[index] as (typeof counters)[number]] ?? Number.NaN;
      const before = this.#totals[index] as number;
      this.#grown[index] = usable ? grown(before, total) : Number.NaN;
      this.#totals[index] = total;
    }
    this.#atMs = atMs;
    this.#write(reading, elapsedMs / 1_000, values);
  }

  #write(reading: EngineReading, seconds: number, values: Float64Array): void {
    const grown = this.#grown;
    values[FIELD.running] = reading.running ?? Number.NaN;
    values[FIELD.waiting] = reading.waiting ?? Number.NaN;
    values[FIELD.kvUsageRatio] = reading.kvUsageRatio ?? Number.NaN;
    values[FIELD.promptTokensPerSecond] = (grown[0] as number) / seconds;
    values[FIELD.cachedPromptTokensPerSecond] = (grown[1] as number) / seconds;
    values[FIELD.generationTokensPerSecond] = (grown[2] as number) / seconds;
    values[FIELD.preemptionsPerSecond] = (grown[3] as number) / seconds;
    values[FIELD.timeToFirstTokenSeconds] = mean(grown[TTFT_SUM] as number, grown[TTFT_COUNT] as number);
    values[FIELD.interTokenSeconds] = mean(grown[INTER_SUM] as number, grown[INTER_COUNT] as number);
    values[FIELD.timeToFirstTokenP50Seconds] = reading.timeToFirstTokenP50Seconds ?? Number.NaN;
    values[FIELD.timeToFirstTokenP95Seconds] = reading.timeToFirstTokenP95Seconds ?? Number.NaN;
    values[FIELD.interTokenP50Seconds] = reading.interTokenP50Seconds ?? Number.NaN;
    values[FIELD.interTokenP95Seconds] = reading.interTokenP95Seconds ?? Number.NaN;
  }
}

const FIELD = Object.fromEntries(telemetryFields.replica.map((name, index) => [name, index])) as Record<
  (typeof telemetryFields.replica)[number],
  number
>;

function grown(before: number, total: number): number {
  return total < before ? total : total - before;
}

/** NaN when nothing was counted: no request is no latency of 0. */
function mean(sum: number, count: number): number {
  return count > 0 ? sum / count : Number.NaN;
}

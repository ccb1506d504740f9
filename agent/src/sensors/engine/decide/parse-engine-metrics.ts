import { type EngineReading, emptyEngineReading } from '@ai-fabric/shared';
import { type Histogram, HistogramReader } from './latency-quantiles.js';
import { labelOf, type MetricSample, scanMetrics } from './scan-metrics.js';

/** More than this is not read: a `/metrics` of a busy engine has some 300 kB. */
export const MAX_METRICS_LENGTH = 4 * 1024 * 1024;

/** Made of two readings, not read: see `latency-quantiles.ts`. */
type QuantileField = Extract<keyof EngineReading, `${string}P50Seconds` | `${string}P95Seconds`>;
type SummedField = Exclude<
  keyof EngineReading,
  'waiting' | 'kvUsageRatio' | 'kvCapacityTokens' | QuantileField
>;

export interface EngineMetrics {
  readonly reading: EngineReading;
  readonly latencies: EngineLatencies;
}

/** Since the engine's start; `null` where it has none. */
export interface EngineLatencies {
  readonly timeToFirstToken: Histogram | null;
  readonly interToken: Histogram | null;
}

/**
 * Names by field, newest first: the first that has a sample is the field's value. A counter's name has `_total` in
 * the text format; an exporter may leave it out.
 */
const NAMES: Record<SummedField, readonly string[]> = {
  running: ['vllm:num_requests_running'],
  promptTokensTotal: ['vllm:prompt_tokens_total', 'vllm:prompt_tokens'],
  // The prefix cache counts tokens, too: what it hit is what was not computed.
  cachedPromptTokensTotal: [
    'vllm:prompt_tokens_cached_total',
    'vllm:prompt_tokens_cached',
    'vllm:prefix_cache_hits_total',
    'vllm:prefix_cache_hits',
    'vllm:gpu_prefix_cache_hits_total',
    'vllm:gpu_prefix_cache_hits',
  ],
  generationTokensTotal: ['vllm:generation_tokens_total', 'vllm:generation_tokens'],
  preemptionsTotal: ['vllm:num_preemptions_total', 'vllm:num_preemptions'],
  timeToFirstTokenSecondsSum: ['vllm:time_to_first_token_seconds_sum'],
  timeToFirstTokenCount: ['vllm:time_to_first_token_seconds_count'],
  interTokenSecondsSum: ['vllm:inter_token_latency_seconds_sum', 'vllm:time_per_output_token_seconds_sum'],
  interTokenCount: ['vllm:inter_token_latency_seconds_count', 'vllm:time_per_output_token_seconds_count'],
};

const WAITING = 'vllm:num_requests_waiting';
const WAITING_BY_REASON = 'vllm:num_requests_waiting_by_reason';
const KV_USAGE = ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'];
const CACHE_CONFIG = 'vllm:cache_config_info';

const TIME_TO_FIRST_TOKEN = ['vllm:time_to_first_token_seconds_bucket'];
const INTER_TOKEN = ['vllm:inter_token_latency_seconds_bucket', 'vllm:time_per_output_token_seconds_bucket'];

const WANTED: ReadonlySet<string> = new Set([
  ...Object.values(NAMES).flat(),
  WAITING,
  WAITING_BY_REASON,
  ...KV_USAGE,
  CACHE_CONFIG,
  ...TIME_TO_FIRST_TOKEN,
  ...INTER_TOKEN,
]);

interface Tally {
  sum: number;
  count: number;
}

/**
 * vLLM's `/metrics` as an `EngineReading` without quantiles, and what those are made of. Names are matched whole (`…waiting` is a prefix of `…waiting_by_reason`),
 * label sets (one per engine of a data-parallel group) are added up, usage is their mean. What is missing, or not a
 * finite number of at least 0, is `null`. Never throws, whatever the text is.
 */
export function parseEngineMetrics(text: string): EngineMetrics {
  const tallies = new Map<string, Tally>();
  const histograms = new HistogramReader();
  let kvCapacityTokens: number | null = null;
  scanMetrics(
    text.length > MAX_METRICS_LENGTH ? text.slice(0, MAX_METRICS_LENGTH) : text,
    WANTED,
    (sample) => {
      if (sample.name === CACHE_CONFIG) {
        const tokens = cacheTokens(sample);
        if (tokens !== null) kvCapacityTokens = (kvCapacityTokens ?? 0) + tokens;
      } else if (sample.name.endsWith('_bucket')) {
        histograms.add(sample.name, labelOf(sample.labels, 'le'), sample.value);
      } else if (sample.value >= 0) {
        addTo(tallies, tallyName(sample), sample.value);
      }
    },
  );
  const reading: EngineReading = { ...emptyEngineReading, kvCapacityTokens };
  for (const [field, names] of Object.entries(NAMES) as [SummedField, readonly string[]][]) {
    reading[field] = firstTally(tallies, names)?.sum ?? null;
  }
  reading.waiting = firstTally(tallies, [`${WAITING_BY_REASON} capacity`, WAITING])?.sum ?? null;
  reading.kvUsageRatio = meanRatio(firstTally(tallies, KV_USAGE));
  const latencies = {
    timeToFirstToken: histograms.read(TIME_TO_FIRST_TOKEN),
    interToken: histograms.read(INTER_TOKEN),
  };
  return { reading, latencies };
}

/** Deferred requests wait without congestion: the reasons are kept apart. */
function tallyName({ name, labels }: MetricSample): string {
  return name === WAITING_BY_REASON
    ? `${name} ${labelOf(labels, 'reason') === 'capacity' ? 'capacity' : ''}`
    : name;
}

function addTo(tallies: Map<string, Tally>, name: string, value: number): void {
  const tally = tallies.get(name);
  if (tally) {
    tally.sum += value;
    tally.count += 1;
  } else {
    tallies.set(name, { sum: value, count: 1 });
  }
}

function firstTally(tallies: ReadonlyMap<string, Tally>, names: readonly string[]): Tally | null {
  for (const name of names) {
    const tally = tallies.get(name);
    if (tally) return Number.isFinite(tally.sum) ? tally : null;
  }
  return null;
}

function meanRatio(tally: Tally | null): number | null {
  return tally === null ? null : Math.min(1, tally.sum / tally.count);
}

/** The key-value cache in tokens: `block_size` × `num_gpu_blocks`; "None" before the engine has measured its card. */
function cacheTokens({ labels }: MetricSample): number | null {
  const tokens = whole(labelOf(labels, 'block_size')) * whole(labelOf(labels, 'num_gpu_blocks'));
  return Number.isSafeInteger(tokens) && tokens > 0 ? tokens : null;
}

function whole(text: string | null): number {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
}

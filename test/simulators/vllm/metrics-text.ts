import type { EngineCounters, Histogram } from './engine-counters.js';
import type { Gauges } from './gauge-history.js';

export interface MetricsSnapshot {
  readonly model: string;
  readonly startedAtMs: number;
  readonly gauges: Gauges;
  readonly counters: EngineCounters;
  readonly blockTokens: number;
  readonly gpuBlocks: number;
  readonly prefixCaching: boolean;
  readonly olderNames: boolean;
}

/** What the names were before vLLM renamed them. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  kv_cache_usage_perc: 'gpu_cache_usage_perc',
  prefix_cache_queries: 'gpu_prefix_cache_queries',
  prefix_cache_hits: 'gpu_prefix_cache_hits',
  inter_token_latency_seconds: 'time_per_output_token_seconds',
};
/** What those versions did not have. */
const NEWER_ONLY = new Set([
  'num_requests_waiting_by_reason',
  'admission_rejections',
  'prompt_tokens_cached',
]);

/** One page of `/metrics` as prometheus_client prints it, `_created` series included. */
export function renderMetrics(snapshot: MetricsSnapshot): string {
  const page = new Page(snapshot);
  const { gauges, counters } = snapshot;
  page.raw('# HELP python_info Python platform information');
  page.raw('# TYPE python_info gauge');
  page.raw(
    'python_info{implementation="CPython",major="3",minor="12",patchlevel="11",version="3.12.11"} 1.0',
  );
  page.gauge('num_requests_running', 'Number of requests in model execution batches.', gauges.running);
  page.gauge('num_requests_waiting', 'Number of requests waiting to be processed.', gauges.waiting);
  page.gauge('num_requests_waiting_by_reason', 'Number of waiting requests by reason.', [
    [{ reason: 'capacity' }, gauges.waiting],
    [{ reason: 'deferred' }, 0],
  ]);
  page.gauge('kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', gauges.kvUsage);
  page.gauge('engine_sleep_state', 'Engine sleep state.', [
    [{ sleep_state: 'awake' }, 1],
    [{ sleep_state: 'weights_offloaded' }, 0],
    [{ sleep_state: 'discard_all' }, 0],
  ]);
  const cache = {
    block_size: String(snapshot.blockTokens),
    enable_prefix_caching: snapshot.prefixCaching ? 'True' : 'False',
    num_gpu_blocks: String(snapshot.gpuBlocks),
  };
  page.gauge('cache_config_info', 'Information of the LLMEngine CacheConfig', [[cache, 1]]);
  page.counter('prompt_tokens', 'Number of prefill tokens processed.', counters.promptTokens);
  page.counter('prompt_tokens_cached', 'Number of cached prompt tokens.', counters.cachedPromptTokens);
  page.counter('generation_tokens', 'Number of generation tokens processed.', counters.generationTokens);
  page.counter('num_preemptions', 'Cumulative number of preemptions.', counters.preemptions);
  page.counter('prefix_cache_queries', 'Prefix cache queries, in tokens.', counters.prefixQueries);
  page.counter('prefix_cache_hits', 'Prefix cache hits, in tokens.', counters.prefixHits);
  const finished = Object.entries(counters.finished);
  page.counter(
    'request_success',
    'Count of successfully processed requests.',
    finished.map(([reason, count]) => [{ finished_reason: reason }, count]),
  );
  page.counter('admission_rejections', 'Requests that were not admitted.', [
    [{ reason: 'max_num_queued_reqs' }, counters.queueRejections],
  ]);
  histograms(page, counters);
  return page.text();
}

function histograms(page: Page, counters: EngineCounters): void {
  page.histogram('time_to_first_token_seconds', 'Time to first token.', counters.timeToFirstToken);
  page.histogram('inter_token_latency_seconds', 'Inter-token latency.', counters.interToken);
  page.histogram('e2e_request_latency_seconds', 'End to end request latency.', counters.endToEnd);
  page.histogram('request_queue_time_seconds', 'Time in WAITING phase.', counters.queue);
  page.histogram('request_prefill_time_seconds', 'Time in PREFILL phase.', counters.prefill);
  page.histogram('request_decode_time_seconds', 'Time in DECODE phase.', counters.decode);
  page.histogram('request_inference_time_seconds', 'Time in RUNNING phase.', counters.inference);
  const perToken = 'request_time_per_output_token_seconds';
  page.histogram(perToken, 'Time per output token of a request.', counters.timePerOutputToken);
  page.histogram('request_prompt_tokens', 'Prefill tokens of a request.', counters.requestPromptTokens);
  page.histogram('request_generation_tokens', 'Tokens of a reply.', counters.requestGenerationTokens);
}

type Labels = Readonly<Record<string, string>>;
type Values = number | readonly (readonly [Labels, number])[];

class Page {
  readonly #lines: string[] = [];
  readonly #snapshot: MetricsSnapshot;

  constructor(snapshot: MetricsSnapshot) {
    this.#snapshot = snapshot;
  }

  raw(line: string): void {
    this.#lines.push(line);
  }

  gauge(name: string, help: string, values: Values): void {
    const full = this.#head(name, help, 'gauge');
    if (full) for (const [labels, value] of series(values)) this.#sample(full, labels, value);
  }

  counter(name: string, help: string, values: Values): void {
    const full = this.#head(name, help, 'counter');
    if (!full) return;
    for (const [labels, value] of series(values)) this.#sample(`${full}_total`, labels, value);
    for (const [labels] of series(values)) this.#created(full, labels);
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    const full = this.#head(name, help, 'histogram');
    if (!full) return;
    let cumulative = 0;
    histogram.bounds.forEach((bound, index) => {
      cumulative += histogram.counts[index] ?? 0;
      this.#sample(`${full}_bucket`, { le: number(bound) }, cumulative);
    });
    this.#sample(`${full}_bucket`, { le: '+Inf' }, histogram.count);
    this.#sample(`${full}_count`, {}, histogram.count);
    this.#sample(`${full}_sum`, {}, histogram.sum);
    this.#created(full, {});
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  /** @returns the name with its prefix; `null` where this version has no such metric */
  #head(name: string, help: string, type: string): string | null {
    const older = this.#snapshot.olderNames;
    if (older && NEWER_ONLY.has(name)) return null;
    const full = `vllm:${older ? (OLDER_NAMES[name] ?? name) : name}`;
    const family = type === 'counter' ? `${full}_total` : full;
    this.raw(`# HELP ${family} ${help}`);
    this.raw(`# TYPE ${family} ${type}`);
    return full;
  }

  #created(full: string, labels: Labels): void {
    this.#sample(`${full}_created`, labels, this.#snapshot.startedAtMs / 1000);
  }

  #sample(name: string, labels: Labels, value: number): void {
    const all = { engine: '0', ...labels, model_name: this.#snapshot.model };
    const text = Object.entries(all).map(([label, content]) => `${label}="${content}"`);
    this.raw(`${name}{${text.join(',')}} ${number(value)}`);
  }
}

function series(values: Values): readonly (readonly [Labels, number])[] {
  return typeof values === 'number' ? [[{}, values]] : values;
}

/** Python prints a float with a point: `3.0`, `1e-05`. */
function number(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

import { emptyEngineReading, engineReadingSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_METRICS_LENGTH, parseEngineMetrics as parse } from './parse-engine-metrics.js';

const parseEngineMetrics = (text: string) => parse(text).reading;

const L = 'engine="0",model_name="qwen"';

const CURRENT = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{${L}} 3.0
vllm:num_requests_waiting{${L}} 4.0
vllm:num_requests_waiting_by_reason{${L},reason="capacity"} 2.0
vllm:num_requests_waiting_by_reason{${L},reason="deferred"} 2.0
vllm:engine_sleep_state{${L},sleep_state="awake"} 1.0
vllm:kv_cache_usage_perc{${L}} 0.25
vllm:prompt_tokens_total{${L}} 1.5e+06
vllm:prompt_tokens_created{${L}} 1.7e+09
vllm:prompt_tokens_cached_total{${L}} 1000.0
vllm:prefix_cache_queries_total{${L}} 5000.0
vllm:prefix_cache_hits_total{${L}} 999.0
vllm:generation_tokens_total{${L}} 250000.0
vllm:num_preemptions_total{${L}} 0.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",num_cpu_blocks="None",num_gpu_blocks="9000",num_gpu_blocks_override="None"} 1.0
vllm:time_to_first_token_seconds_bucket{${L},le="0.1"} 7.0
vllm:time_to_first_token_seconds_bucket{${L},le="+Inf"} 10.0
vllm:time_to_first_token_seconds_sum{${L}} 1.25
vllm:time_to_first_token_seconds_count{${L}} 10.0
vllm:inter_token_latency_seconds_sum{${L}} 30.5
vllm:inter_token_latency_seconds_count{${L}} 1500.0
vllm:time_per_output_token_seconds_sum{${L}} 99.0
vllm:time_per_output_token_seconds_count{${L}} 99.0
`;

describe('the metrics of an engine', () => {
  it('are read by their current names', () => {
    expect(parseEngineMetrics(CURRENT)).toEqual({
      ...emptyEngineReading,
      running: 3,
      waiting: 2,
      kvUsageRatio: 0.25,
      kvCapacityTokens: 144_000,
      promptTokensTotal: 1_500_000,
      cachedPromptTokensTotal: 1000,
      generationTokensTotal: 250_000,
      preemptionsTotal: 0,
      timeToFirstTokenSecondsSum: 1.25,
      timeToFirstTokenCount: 10,
      interTokenSecondsSum: 30.5,
      interTokenCount: 1500,
    });
  });

  it.each([
    ['vllm:num_requests_waiting 5', { waiting: 5 }],
    ['vllm:num_requests_waiting 5\nvllm:num_requests_waiting_by_reason{reason="deferred"} 5', { waiting: 5 }],
    ['vllm:num_requests_waiting_by_reason{reason="capacity"} 0\nvllm:num_requests_waiting 2', { waiting: 0 }],
    ['vllm:gpu_cache_usage_perc 0.5', { kvUsageRatio: 0.5 }],
    ['vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.75', { kvUsageRatio: 0.75 }],
    ['vllm:gpu_prefix_cache_hits_total 8', { cachedPromptTokensTotal: 8 }],
    ['vllm:prefix_cache_hits_total 9', { cachedPromptTokensTotal: 9 }],
    [
      'vllm:time_per_output_token_seconds_sum 2\nvllm:time_per_output_token_seconds_count 4',
      { interTokenSecondsSum: 2, interTokenCount: 4 },
    ],
    ['vllm:prompt_tokens 7', { promptTokensTotal: 7 }],
  ])('of another version, %j, are read as well', (text, expected) => {
    expect(parseEngineMetrics(text)).toEqual({ ...emptyEngineReading, ...expected });
  });

  it('have the buckets of latencies, those of a group of engines added up', () => {
    const other = 'vllm:time_to_first_token_seconds_bucket{engine="1",le="+Inf"} 3.0';
    expect(parse(`${CURRENT}${other}`).latencies).toEqual({
      timeToFirstToken: { bounds: [0.1, Number.POSITIVE_INFINITY], counts: [7, 13] },
      interToken: null,
    });
  });

  it('of a group of engines are added up, their usage averaged', () => {
    const text = [
      'vllm:num_requests_running{engine="0"} 3',
      'vllm:num_requests_running{engine="1"} 4',
      'vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 1',
      'vllm:num_requests_waiting_by_reason{engine="1",reason="capacity"} 1',
      'vllm:kv_cache_usage_perc{engine="0"} 0.2',
      'vllm:kv_cache_usage_perc{engine="1"} 0.6',
      'vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="100"} 1',
      'vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="100"} 1',
    ].join('\n');
    expect(parseEngineMetrics(text)).toMatchObject({
      running: 7,
      waiting: 2,
      kvUsageRatio: 0.4,
      kvCapacityTokens: 3200,
    });
  });

  it('may have names with braces, quotes and commas in their labels', () => {
    const text = 'vllm:num_requests_running{engine="0",model_name="a {\\"b\\"}, c"} 3\r\n';
    expect(parseEngineMetrics(text).running).toBe(3);
  });

  it('do not confuse a name with one that it begins', () => {
    const text =
      'vllm:num_requests_running_max 9\nvllm:num_requests_waiting_by_reason_total 9\nmyvllm:num_requests_running 9';
    expect(parseEngineMetrics(text)).toEqual(emptyEngineReading);
  });
});

describe('what is unknown', () => {
  it.each([
    '',
    '<!DOCTYPE html><html><body>vllm:num_requests_running 3</body></html>',
    '{"detail":"Not Found"}',
    'vllm:num_requests_running',
    'vllm:num_requests_running NaN',
    'vllm:num_requests_running -1',
    'vllm:num_requests_running +Inf',
    'vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1',
    'vllm:cache_config_info{block_size="16"} 1',
    'vllm:cache_config_info{block_size="0",num_gpu_blocks="0"} 1',
    'vllm:cache_config_info{block_size="999999999999",num_gpu_blocks="999999999999"} 1',
    'vllm:cache_config_info 1',
  ])('stays unknown for %j', (text) => {
    expect(parseEngineMetrics(text)).toEqual(emptyEngineReading);
  });

  it('is a sum that is no number any more', () => {
    expect(
      parseEngineMetrics('vllm:prompt_tokens_total{a="1"} 1.7e308\nvllm:prompt_tokens_total{a="2"} 1.7e308')
        .promptTokensTotal,
    ).toBeNull();
  });

  it('is what stands behind the part that is read', () => {
    const text = `${'#'.repeat(MAX_METRICS_LENGTH)}\nvllm:num_requests_running 3\n`;
    expect(parseEngineMetrics(text).running).toBeNull();
  });

  it('is never made up, whatever the page is: what is read fits the wire', () => {
    const words = fc.constantFrom(...CURRENT.split(/(?<=[\s{}",=])/), '\\', '1e999', '-', '\u0000');
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 80 }), (pieces) => {
        const reading = parseEngineMetrics(pieces.join(''));
        expect(engineReadingSchema.safeParse(reading).success).toBe(true);
        expect(reading.kvUsageRatio ?? 0).toBeLessThanOrEqual(1);
      }),
    );
  });
});

import { type Clock, systemClock } from '@ai-fabric/shared';
import type { EngineShape } from '../batch-engine/engine-shape.js';
import type { EngineSpeed } from './engine-model.js';

export type Runner = 'generate' | 'pooling' | 'scoring' | 'speech';

/** What a real engine answered, word for word. */
export interface RecordedAnswer {
  readonly status: number;
  readonly text: string;
}

export interface RecordedEngine {
  readonly models: RecordedAnswer;
  readonly metrics: RecordedAnswer;
  readonly version: RecordedAnswer;
}

export interface VllmSimulatorOptions {
  /** Every reply names it, so that a test can tell who answered. */
  readonly name?: string;
  /** The name that the engine serves, or several (`--served-model-name a b`); the first is what replies carry. */
  readonly model: string | readonly string[];
  /** `root` in `/v1/models`: the weights. */
  readonly root?: string;
  /** What the model is: `pooling` answers embeddings and scores, `scoring` scores alone, `speech` audio, `generate` text. */
  readonly runner?: Runner;
  readonly host?: string;
  /** 0 (the default) takes a free one. */
  readonly port?: number;
  /** `0`: serving when the promise resolves. `n`: refuses connections for n ms. `'on demand'`: until `load()`. */
  readonly load?: number | 'on demand';
  readonly maxModelLen?: number;
  /** `--max-num-seqs`. */
  readonly maxConcurrent?: number;
  /** `--max-num-queued-reqs`: 503 above it. */
  readonly maxQueuedRequests?: number;
  readonly speed?: Partial<EngineSpeed>;
  /** Requests share iterations as in the route laboratory, instead of `speed`. */
  readonly batch?: EngineShape;
  /** Tokens of a reply that `max_tokens` does not cut. */
  readonly replyTokens?: number;
  readonly embeddingDimensions?: number;
  readonly blockTokens?: number;
  readonly gpuBlocks?: number;
  readonly prefixCaching?: boolean;
  /** How late `/metrics` shows gauges. */
  readonly gaugeLagMs?: number;
  /** How long after loading `/metrics` shows all gauges as 0. */
  readonly gaugeColdMs?: number;
  /** Metric names of before the renames, without the split by reason. */
  readonly olderMetricNames?: boolean;
  /** Errors as older versions sent them: `{"object":"error",…}`. */
  readonly flatErrors?: boolean;
  /** `--enable-prompt-tokens-details`. */
  readonly promptTokensDetails?: boolean;
  /** `--api-key`: guards `/v1` alone. */
  readonly apiKey?: string;
  /** `--enable-sleep-mode` with `VLLM_SERVER_DEV_MODE=1`: its paths ask for no key. */
  readonly sleepMode?: boolean;
  readonly version?: string;
  /** How many requests are remembered. */
  readonly recordLimit?: number;
  readonly keepAliveMs?: number;
  /** Says of itself what a real one said, whatever it does. */
  readonly recorded?: RecordedEngine;
  readonly clock?: Clock;
}

/** The options with their defaults. */
export interface VllmSettings {
  readonly name: string;
  readonly models: readonly string[];
  readonly model: string;
  readonly root: string;
  readonly runner: Runner;
  readonly host: string;
  readonly port: number;
  readonly load: number | 'on demand';
  readonly maxModelLen: number;
  readonly maxConcurrent: number;
  readonly maxQueuedRequests: number;
  readonly speed: EngineSpeed;
  readonly batch: EngineShape | null;
  readonly replyTokens: number;
  readonly embeddingDimensions: number;
  readonly blockTokens: number;
  readonly gpuBlocks: number;
  readonly prefixCaching: boolean;
  readonly gaugeLagMs: number;
  readonly gaugeColdMs: number;
  readonly olderMetricNames: boolean;
  readonly flatErrors: boolean;
  readonly promptTokensDetails: boolean;
  readonly apiKey: string | null;
  readonly sleepMode: boolean;
  readonly version: string;
  readonly recordLimit: number;
  readonly keepAliveMs: number;
  readonly recorded: RecordedEngine | null;
  readonly clock: Clock;
}

const AT_ONCE: EngineSpeed = {
  prefillTokensPerSecond: Number.POSITIVE_INFINITY,
  decodeTokensPerSecond: Number.POSITIVE_INFINITY,
  slowdownPerRunning: 0.05,
};

const DEFAULTS = {
  name: 'vllm-simulator',
  runner: 'generate',
  host: '127.0.0.1',
  port: 0,
  load: 0,
  maxModelLen: 8192,
  batch: null,
  maxConcurrent: 16,
  // vLLM has no limit unless told; a simulator's queue has an end all the same.
  maxQueuedRequests: 10_000,
  replyTokens: 32,
  embeddingDimensions: 384,
  blockTokens: 16,
  gpuBlocks: 4096,
  prefixCaching: true,
  gaugeLagMs: 4_000,
  gaugeColdMs: 18_000,
  olderMetricNames: false,
  flatErrors: false,
  promptTokensDetails: false,
  apiKey: null,
  sleepMode: false,
  version: '0.32.0',
  recordLimit: 1_000,
  // uvicorn's own: an idle connection is closed after five seconds.
  keepAliveMs: 5_000,
  recorded: null,
} as const;

export function resolveVllmOptions(options: VllmSimulatorOptions): VllmSettings {
  const models = typeof options.model === 'string' ? [options.model] : options.model;
  const model = models[0];
  if (model === undefined) throw new Error('a vLLM simulator needs at least one served model name');
  const root = options.root ?? model;
  const speed = { ...AT_ONCE, ...options.speed };
  return { ...DEFAULTS, clock: systemClock(), ...options, models, model, root, speed };
}

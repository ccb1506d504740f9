import { type Clock, systemClock } from '@ai-fabric/shared';

export interface OpenAiSimulatorOptions {
  /** The only bearer that is let in. */
  readonly apiKey: string;
  readonly name?: string;
  readonly models?: readonly string[];
  readonly embeddingModels?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  /** Above it in one minute of the clock: 429. */
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** How long a "minute" of the limits is, for tests that wait for one. */
  readonly limitWindowMs?: number;
  readonly contextTokens?: number;
  readonly replyTokens?: number;
  /** From the request to the first token. */
  readonly firstTokenMs?: number;
  readonly tokenMs?: number;
  readonly embeddingDimensions?: number;
  readonly recordLimit?: number;
  readonly clock?: Clock;
}

export interface OpenAiSettings extends Required<OpenAiSimulatorOptions> {
  readonly keepAliveMs: number;
}

const DEFAULTS = {
  name: 'openai-simulator',
  models: ['gpt-5', 'gpt-5-mini'],
  embeddingModels: ['text-embedding-3-small'],
  host: '127.0.0.1',
  port: 0,
  requestsPerMinute: 10_000,
  tokensPerMinute: 2_000_000,
  limitWindowMs: 60_000,
  contextTokens: 128_000,
  replyTokens: 32,
  firstTokenMs: 0,
  tokenMs: 0,
  embeddingDimensions: 1536,
  recordLimit: 1_000,
  keepAliveMs: 60_000,
} as const;

export function resolveOpenAiOptions(options: OpenAiSimulatorOptions): OpenAiSettings {
  return { ...DEFAULTS, clock: systemClock(), ...options };
}

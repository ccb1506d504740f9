/** A Prometheus histogram. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }
}

const SECONDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const REQUEST_SECONDS = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920,
];
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export type FinishedReason = 'stop' | 'length' | 'abort' | 'error';

/** Everything that only grows while an engine process lives. These do not lag. */
export class EngineCounters {
  promptTokens = 0;
  cachedPromptTokens = 0;
  generationTokens = 0;
  preemptions = 0;
  prefixQueries = 0;
  prefixHits = 0;
  queueRejections = 0;
  readonly finished: Record<FinishedReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
  readonly timeToFirstToken = new Histogram(SECONDS);
  readonly interToken = new Histogram(TOKEN_SECONDS);
  readonly timePerOutputToken = new Histogram(TOKEN_SECONDS);
  readonly endToEnd = new Histogram(REQUEST_SECONDS);
  readonly queue = new Histogram(REQUEST_SECONDS);
  readonly prefill = new Histogram(REQUEST_SECONDS);
  readonly decode = new Histogram(REQUEST_SECONDS);
  readonly inference = new Histogram(REQUEST_SECONDS);
  readonly requestPromptTokens = new Histogram(TOKENS);
  readonly requestGenerationTokens = new Histogram(TOKENS);
}

import { emptyEngineReading, type TelemetrySample } from '@ai-fabric/shared';
import { nextSample } from '../telemetry/walk-readings.js';

/** The host of the charts. */
export const ONLY_HOST = 'bench-host';

/** A host with two cards, and where it has replicas one on each: the largest that the figures speak of. */
export class BusyHost {
  readonly deployments: readonly string[];
  readonly #index: number;
  readonly #random: () => number;
  #tokens = 0;
  #requests = 0;

  constructor(index: number, deployments: readonly string[], random: () => number) {
    this.#index = index;
    this.deployments = deployments;
    this.#random = random;
  }

  sample(atMs: number): TelemetrySample {
    const first = nextSample(this.#index * 2, atMs, this.#random);
    const second = nextSample(this.#index * 2 + 1, atMs, this.#random);
    const replicas = Object.fromEntries(this.deployments.map((name) => [name, this.#reading()]));
    return { atMs, host: first.host, gpus: { ...first.gpus, ...second.gpus }, replicas };
  }

  #reading(): TelemetrySample['replicas'][string] {
    const busy = this.#random();
    this.#tokens += Math.round(busy * 400);
    this.#requests += Math.round(busy * 3);
    const share = (value: number): number => Math.round(value * 10_000) / 10_000;
    return {
      ...emptyEngineReading,
      running: Math.round(busy * 16),
      waiting: busy > 0.9 ? Math.round(busy * 4) : 0,
      kvUsageRatio: share(busy),
      kvCapacityTokens: 144_000,
      promptTokensTotal: this.#tokens * 4,
      cachedPromptTokensTotal: this.#tokens,
      generationTokensTotal: this.#tokens,
      preemptionsTotal: 0,
      timeToFirstTokenSecondsSum: this.#requests * 0.21 + busy,
      timeToFirstTokenCount: this.#requests,
      interTokenSecondsSum: this.#tokens * 0.021 + busy,
      interTokenCount: this.#tokens,
      timeToFirstTokenP50Seconds: share(0.1 + busy / 4),
      timeToFirstTokenP95Seconds: share(0.3 + busy),
      interTokenP50Seconds: share(0.02 + busy / 100),
      interTokenP95Seconds: share(0.03 + busy / 50),
    };
  }
}

import { diffTelemetry, type TelemetrySample } from '@ai-fabric/shared';
import { LightHost } from '../../harness/light-host.js';
import { nextSample, sampleInventory } from './walk-readings.js';

export interface LightAgentOptions {
  readonly index: number;
  readonly tlsUrl: string;
  readonly joinToken: string;
  readonly random: () => number;
  /** Called for each report with the length of what it tells. */
  readonly reported: (lengthBytes: number) => void;
}

const REPORT_MS = 1_000;

/** A host that joins with a real key over a real link and then reports each second, as a busy one does. */
export class LightAgent {
  readonly name: string;
  readonly #options: LightAgentOptions;
  readonly #host: LightHost;
  #last: TelemetrySample | null = null;

  constructor(options: LightAgentOptions) {
    const { index, tlsUrl, joinToken } = options;
    this.name = `bench-${String(index).padStart(4, '0')}`;
    this.#options = options;
    this.#host = new LightHost({ tlsUrl, joinToken, name: this.name, machine: this.name });
  }

  get isLinked(): boolean {
    return this.#host.isLinked;
  }

  /** @throws Error with the reason when the control plane says goodbye instead of welcome */
  async link(): Promise<void> {
    await this.#host.link();
    if (this.#host.goodbye) throw new Error(`${this.name} was refused: ${this.#host.goodbye.detail}`);
    const telemetry = [this.#nextDelta()];
    this.#host.report({
      inventory: sampleInventory(this.#options.index),
      telemetry,
      replicas: [],
      issues: [],
    });
    // Spread over the second, as a thousand machines are that know nothing of each other.
    setTimeout(() => setInterval(() => this.#reportSample(), REPORT_MS), this.#options.random() * REPORT_MS);
  }

  #reportSample(): void {
    const report = { telemetry: [this.#nextDelta()] };
    this.#host.report(report);
    this.#options.reported(JSON.stringify(report).length);
  }

  #nextDelta() {
    const { index, random } = this.#options;
    const sample = nextSample(index, Date.now(), random);
    const delta = diffTelemetry(this.#last, sample);
    this.#last = sample;
    return delta;
  }
}

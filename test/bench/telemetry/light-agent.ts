import { diffTelemetry, type TelemetrySample } from '@ai-fabric/shared';
import { hostKeys, LightHost } from '../../harness/light-host.js';
import { pause } from '../machine/pause.js';
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
/** Where the registry is busy at that moment the control plane says so, and an agent tries again. */
const TRIES = 20;
const TRY_AGAIN_MS = 250;

/** A host that joins with a real key over a real link and then reports each second, as a busy one does. */
export class LightAgent {
  readonly name: string;
  readonly #options: LightAgentOptions;
  #host: LightHost | null = null;
  #last: TelemetrySample | null = null;

  constructor(options: LightAgentOptions) {
    this.name = `bench-${String(options.index).padStart(4, '0')}`;
    this.#options = options;
  }

  get isLinked(): boolean {
    return this.#host?.isLinked ?? false;
  }

  /** @throws Error with the reason when the control plane refuses it */
  async link(): Promise<void> {
    const host = await this.#join();
    this.#host = host;
    const telemetry = [this.#nextDelta()];
    host.report({
      inventory: sampleInventory(this.#options.index),
      telemetry,
      replicas: [],
      issues: [],
    });
    // Spread over the second, as a thousand machines are that know nothing of each other.
    setTimeout(() => setInterval(() => this.#reportSample(), REPORT_MS), this.#options.random() * REPORT_MS);
  }

  async #join(): Promise<LightHost> {
    const { tlsUrl, joinToken } = this.#options;
    const keys = hostKeys();
    for (let tries = 1; ; tries += 1) {
      const host = new LightHost({ tlsUrl, joinToken, keys, name: this.name, machine: this.name });
      await host.link();
      if (!host.goodbye) return host;
      const { reason, detail } = host.goodbye;
      await host.close();
      if (reason !== 'unavailable' || tries === TRIES) throw new Error(`${this.name}: ${reason}: ${detail}`);
      await pause(TRY_AGAIN_MS);
    }
  }

  #reportSample(): void {
    const report = { telemetry: [this.#nextDelta()] };
    this.#host?.report(report);
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

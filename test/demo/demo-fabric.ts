import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { type OpenAiSimulator, startOpenAiSimulator } from '../simulators/openai/start-openai-simulator.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { CLOUD_KEY_VARIABLE, demoFabricYaml, machines, type SimulatedMachine } from './demo-estate.js';
import { type DemoPorts, DemoPrograms, thisHostName } from './demo-programs.js';
import type { Rest } from './rest.js';

export interface HostSummary {
  readonly name: string;
  readonly presence: string;
  readonly inventory: { readonly gpus: readonly { readonly uuid: string; readonly name: string }[] } | null;
  readonly sample: {
    readonly atMs: number;
    readonly host: { readonly cpuRatio: number | null; readonly memoryUsedBytes: number | null };
    readonly gpus: Readonly<
      Record<
        string,
        {
          readonly utilisationRatio: number | null;
          readonly vramUsedBytes: number | null;
          readonly vramTotalBytes: number | null;
          readonly temperatureCelsius: number | null;
          readonly powerWatts: number | null;
        }
      >
    >;
  } | null;
  readonly issues: readonly { readonly code: string; readonly severity: string }[];
}

/** The whole fabric of the demo: one control plane, this machine's agent, three simulated machines, one cloud. */
export class DemoFabric {
  readonly thisHost = thisHostName(machines.map(({ name }) => name));
  readonly programs: DemoPrograms;
  readonly engines = new Map<string, VllmSimulator>();
  readonly #cloudKey = `demo-${randomBytes(16).toString('hex')}`;
  #cloud: OpenAiSimulator | null = null;

  constructor(ports: DemoPorts) {
    this.programs = new DemoPrograms(ports);
  }

  get rest(): Rest {
    return this.programs.rest;
  }

  get cloud(): OpenAiSimulator {
    if (!this.#cloud) throw new Error('the simulated cloud is not running');
    return this.#cloud;
  }

  async startEngines(): Promise<void> {
    for (const { name, engines } of machines) {
      for (const engine of engines) {
        const simulator = await startVllmSimulator({
          name,
          model: engine.model,
          runner: engine.task === 'embeddings' ? 'pooling' : 'generate',
          maxModelLen: engine.maxModelLen,
          embeddingDimensions: 768,
          speed: { prefillTokensPerSecond: 4_000, decodeTokensPerSecond: engine.tokensPerSecond },
          gaugeColdMs: 0,
          gaugeLagMs: 1_000,
        });
        this.engines.set(engine.deployment, simulator);
      }
    }
    this.#cloud = await startOpenAiSimulator({
      apiKey: this.#cloudKey,
      models: ['gpt-4.1', 'gpt-4.1-mini'],
      firstTokenMs: 120,
      tokenMs: 10,
    });
  }

  /** @throws Error with the end of its log when it is not ready within ten seconds */
  async startControlPlane(): Promise<void> {
    const urls = new Map([...this.engines].map(([deployment, { url }]) => [deployment, url]));
    const fabric = demoFabricYaml(urls, this.cloud.baseUrl, this.thisHost);
    await this.programs.startControlPlane(fabric, { [CLOUD_KEY_VARIABLE]: this.#cloudKey });
  }

  /** Joins with a token of its own and starts the agent. */
  async startHost(name: string): Promise<void> {
    const machine = machines.find((each) => each.name === name);
    const settings =
      machine === undefined ? {} : { AI_FABRIC_AGENT_NVIDIA_SMI: await this.#installCard(machine) };
    await this.programs.startHost(name, settings);
  }

  /** A goodbye, as when somebody shuts the workstation down; its engines end with it. */
  async sendAway(name: string): Promise<void> {
    await this.programs.stopAgent(name);
    const machine = machines.find((each) => each.name === name);
    for (const { deployment } of machine?.engines ?? [])
      await this.engines.get(deployment)?.fault({ kind: 'crash' });
  }

  async hosts(): Promise<readonly HostSummary[]> {
    return (await this.rest.api<{ items: HostSummary[] }>('/hosts')).items;
  }

  async close(keepFiles: boolean): Promise<void> {
    await this.programs.close(keepFiles);
    await Promise.all([...this.engines.values()].map((engine) => engine.close()));
    await this.#cloud?.close();
  }

  async #installCard({ name, card }: SimulatedMachine): Promise<string> {
    const installed = await installNvidiaSmi({
      directory: join(this.programs.directory, `nvidia-smi-${name}`),
      scenario: { cards: [card] },
    });
    return installed.path;
  }
}

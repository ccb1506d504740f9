import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type InstalledNvidiaSmi, installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { type OpenAiSimulator, startOpenAiSimulator } from '../simulators/openai/start-openai-simulator.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { CLOUD_KEY_VARIABLE, demoFabricYaml, machines, type SimulatedMachine } from './demo-estate.js';
import { type DemoPorts, DemoPrograms, thisHostName } from './demo-programs.js';
import type { Rest } from './rest.js';
import { simulatedInterfaces, Workstation } from './workstation.js';

export interface HostSummary {
  readonly name: string;
  readonly presence: string;
  readonly power: {
    readonly state: string;
    readonly wakeability: { readonly kind: string; readonly detail?: string };
    readonly flight: { readonly text: string } | null;
  };
  readonly owner: { readonly state: string; readonly detail: string | null } | null;
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

function machineOf(name: string): SimulatedMachine {
  const machine = machines.find((each) => each.name === name);
  if (machine === undefined) throw new Error(`no machine of the demo is called ${name}`);
  return machine;
}

/** The whole fabric of the demo: one control plane, this machine's agent, three simulated machines, one cloud. */
export class DemoFabric {
  readonly thisHost = thisHostName(machines.map(({ name }) => name));
  readonly programs: DemoPrograms;
  readonly engines = new Map<string, VllmSimulator>();
  readonly #cloudKey = `demo-${randomBytes(16).toString('hex')}`;
  #cloud: OpenAiSimulator | null = null;
  #wintermute: Workstation | null = null;
  /** By host. */
  readonly cards = new Map<string, InstalledNvidiaSmi>();

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
    this.#wintermute = await Workstation.prepare({
      ...{ directory: this.programs.directory, name: 'wintermute', loadMs: 1_500 },
      mac: machineOf('wintermute').mac,
      agentState: this.programs.agentState('wintermute'),
      logFile: this.programs.logFile('agent-wintermute'),
      engines: this.#enginesOf('wintermute'),
    });
    this.#cloud = await startOpenAiSimulator({
      apiKey: this.#cloudKey,
      models: ['gpt-4.1', 'gpt-4.1-mini'],
      firstTokenMs: 120,
      tokenMs: 10,
    });
  }

  /** @throws Error with the end of its log when it is not ready within ten seconds */
  async startControlPlane(): Promise<void> {
    await this.programs.startControlPlane(this.fabricYaml('cloudThenLocal'), {
      [CLOUD_KEY_VARIABLE]: this.#cloudKey,
      AI_FABRIC_WAKE_PORTS: String(this.wintermute.port),
    });
  }

  /** @param onAsleep what chat-deep does while wintermute sleeps */
  fabricYaml(onAsleep: 'hold' | 'cloudThenLocal'): string {
    const urls = new Map([...this.engines].map(([deployment, { url }]) => [deployment, url]));
    return demoFabricYaml(urls, this.cloud.baseUrl, this.thisHost, onAsleep);
  }

  /** Declares the estate anew. */
  async applyFabric(onAsleep: 'hold' | 'cloudThenLocal'): Promise<void> {
    await this.programs.applyFabric(this.fabricYaml(onAsleep));
  }

  /** The workstation that sleeps. */
  get wintermute(): Workstation {
    if (!this.#wintermute) throw new Error('wintermute is not there yet');
    return this.#wintermute;
  }

  /** Joins with a token of its own and starts the agent. */
  async startHost(name: string): Promise<void> {
    const machine = machines.find((each) => each.name === name);
    if (machine === undefined) return this.programs.startHost(name);
    const card = { AI_FABRIC_AGENT_NVIDIA_SMI: await this.#installCard(machine) };
    if (name !== 'wintermute') {
      const interfaces = simulatedInterfaces(this.programs.directory, name, machine.mac);
      return this.programs.startHost(name, { ...interfaces, ...card });
    }
    const environment = await this.programs.joinHost(name, { ...this.wintermute.settings, ...card });
    await this.wintermute.start(environment);
    await this.wintermute.pressButton();
  }

  async hosts(): Promise<readonly HostSummary[]> {
    return (await this.rest.api<{ items: HostSummary[] }>('/hosts')).items;
  }

  async close(keepFiles: boolean): Promise<void> {
    await this.#wintermute?.close();
    await this.programs.close(keepFiles);
    await Promise.all([...this.engines.values()].map((engine) => engine.close()));
    await this.#cloud?.close();
  }

  #enginesOf(name: string): VllmSimulator[] {
    return machineOf(name).engines.flatMap(({ deployment }) => this.engines.get(deployment) ?? []);
  }

  async #installCard({ name, card }: SimulatedMachine): Promise<string> {
    const installed = await installNvidiaSmi({
      directory: join(this.programs.directory, `nvidia-smi-${name}`),
      scenario: { cards: [card] },
    });
    this.cards.set(name, installed);
    return installed.path;
  }
}

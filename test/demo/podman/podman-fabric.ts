import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { PodmanMachine } from '../../real/podman/podman-machine.js';
import { runTool } from '../../real/podman/run-tool.js';
import { makeVllmArchive, VLLM_ENTRYPOINT } from '../../real/podman/vllm-image.js';
import { installNvidiaSmi } from '../../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../../simulators/nvidia-smi/scenario.js';
import { programs as builtPrograms } from '../child-program.js';
import { type DemoPorts, DemoPrograms, thisHostName } from '../demo-programs.js';
import type { GatewayAnswer } from '../rest.js';
import { OneImageRegistry } from './one-image-registry.js';

export const DEPLOYMENT = 'chat';
export const CONTAINER = `ai-fabric-${DEPLOYMENT}`;
export const ROLE = 'chat-fast';

const CARD = { ...SAMPLE_CARDS.rtx4070Super, vramUsedMib: 500, load: 0.05 };
const REPOSITORY = 'vllm/vllm-openai';

/** What the demo reads of a deployment. */
export interface DeploymentSummary {
  readonly name: string;
  readonly contextTokens: number | null;
  readonly observed: {
    readonly status: {
      readonly phase: string;
      readonly detail: string | null;
      readonly container: { readonly id: string } | null;
      readonly port: number | null;
      readonly progress: { readonly doneBytes: number | null; readonly totalBytes: number | null } | null;
    };
  } | null;
}

/**
 * A whole fabric whose only replica is a container of real Podman: one control plane, one agent, a Podman with storage,
 * network and socket of its own, and a registry on loopback that has the image. The vLLM in it and the card are
 * simulated.
 */
export class PodmanFabric {
  readonly host = thisHostName();
  readonly programs: DemoPrograms;
  readonly #signal: AbortSignal;
  #registry: OneImageRegistry | null = null;
  #machine: PodmanMachine | null = null;

  constructor(ports: DemoPorts, signal: AbortSignal) {
    this.#signal = signal;
    this.programs = new DemoPrograms(ports, signal);
  }

  get machine(): PodmanMachine {
    if (this.#machine === null) throw new Error('Podman was not started');
    return this.#machine;
  }

  get registry(): OneImageRegistry {
    if (this.#registry === null) throw new Error('the registry was not started');
    return this.#registry;
  }

  async startRegistry(): Promise<void> {
    const archive = join(this.programs.directory, 'layer.tar');
    await makeVllmArchive(archive, this.#signal);
    this.#registry = await OneImageRegistry.start({
      ...{ repository: REPOSITORY, tag: 'simulated', archive, entrypoint: VLLM_ENTRYPOINT },
      environment: ['SIMULATED_LOAD_MS=1500', 'SIMULATED_TOKENS_PER_SECOND=120'],
    });
  }

  async startPodman(): Promise<void> {
    this.#machine = await PodmanMachine.start({
      registries: [this.registry.address],
      cardName: CARD.name,
      folder: join(this.programs.directory, 'podman'),
      signal: this.#signal,
    });
  }

  async startControlPlane(): Promise<void> {
    await this.programs.startControlPlane(stringify({ version: 1, hosts: { [this.host]: {} } }));
  }

  async startAgent(): Promise<void> {
    const state = this.programs.agentState(this.host);
    mkdirSync(state, { mode: 0o700 });
    // The owner's word: by default only Docker Hub's vLLM may be made into containers.
    const policy = { version: 1, images: [`${this.registry.address}/${REPOSITORY}`] };
    writeFileSync(join(state, 'agent.yaml'), stringify(policy));
    const nvidiaSmi = await installNvidiaSmi({
      directory: join(this.programs.directory, 'driver'),
      scenario: { cards: [{ ...CARD, uuid: this.machine.cardUuid }] },
    });
    await this.programs.startHost(this.host, {
      AI_FABRIC_AGENT_NVIDIA_SMI: nvidiaSmi.path,
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${this.machine.socketPath}`,
    });
  }

  /** An operator's command. @throws Error with what it complained of */
  async operator(...args: readonly string[]): Promise<string> {
    const { dataDirectory } = this.programs;
    const command = [builtPrograms.controlPlane, ...args, '--data', dataDirectory];
    return runTool(process.execPath, command, { signal: this.#signal });
  }

  async deployment(): Promise<DeploymentSummary> {
    return this.programs.rest.api<DeploymentSummary>(`/deployments/${DEPLOYMENT}`);
  }

  async phase(): Promise<string> {
    return (await this.deployment()).observed?.status.phase ?? 'not seen';
  }

  /** One field of the container, as Podman itself has it. */
  async inspect(format: string): Promise<string> {
    return (await this.machine.podman('inspect', '--format', format, CONTAINER)).trim();
  }

  chat(stream: boolean): Promise<GatewayAnswer> {
    const messages = [{ role: 'user', content: 'Who are you, and where do you run?' }];
    return this.programs.rest.post('/v1/chat/completions', { model: ROLE, stream, messages });
  }

  /** Whatever of it was started. */
  async close(keepFiles: boolean): Promise<void> {
    await this.programs.stopAgent(this.host);
    await this.#machine?.close();
    await this.#registry?.close();
    await this.programs.close(keepFiles);
  }
}

import { join } from 'node:path';
import {
  type Agent,
  type AgentConfig,
  type AgentDependencies,
  joinFabric,
  readAgentConfig,
  startAgent,
} from '@ai-fabric/agent';
import { type Clock, type GoodbyeReason, type HostPolicy, systemClock } from '@ai-fabric/shared';
import { type Logger, pino } from 'pino';
import { type InstalledNvidiaSmi, installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import type { NvidiaSmiScenario } from '../simulators/nvidia-smi/scenario.js';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

export interface AgentHostOptions {
  readonly name: string;
  /** What its nvidia-smi shows; without it, whatever this machine has. */
  readonly cards?: Partial<NvidiaSmiScenario>;
  /** How often it looks at its cards, its engines and itself. */
  readonly cadenceMs?: number;
  readonly clock?: Clock;
  /** Who keeps its replicas. */
  readonly openKeeper?: NonNullable<AgentDependencies['openKeeper']>;
  /** What its owner allows; without it, nothing is told. */
  readonly policy?: HostPolicy;
  /** What becomes of newer agents; without it, it says that it was not installed. */
  readonly openUpgrades?: NonNullable<AgentDependencies['openUpgrades']>;
  readonly log?: Logger;
}

/** Quicker than by default: journeys wait for what it sees. */
const CADENCE_MS = 300;

/** A host with the real agent, in this process. */
export class AgentHost {
  readonly name: string;
  readonly nvidiaSmi: InstalledNvidiaSmi | null;
  readonly #options: AgentHostOptions;
  readonly #home: TemporaryDirectory;
  #agent: Agent | null = null;

  private constructor(
    options: AgentHostOptions,
    home: TemporaryDirectory,
    nvidiaSmi: InstalledNvidiaSmi | null,
  ) {
    this.name = options.name;
    this.nvidiaSmi = nvidiaSmi;
    this.#options = options;
    this.#home = home;
  }

  /** A machine that knows nothing of a fabric yet. */
  static async prepare(options: AgentHostOptions): Promise<AgentHost> {
    const home = temporaryDirectory();
    const scenario = options.cards;
    const directory = join(home.path, 'driver');
    const nvidiaSmi = scenario === undefined ? null : await installNvidiaSmi({ directory, scenario });
    return new AgentHost(options, home, nvidiaSmi);
  }

  get stateDirectory(): string {
    return join(this.#home.path, 'state');
  }

  get agent(): Agent {
    if (this.#agent === null) throw new Error(`the agent of ${this.name} does not run`);
    return this.#agent;
  }

  /** @throws JoinError, LinkError */
  async join(server: string, token: string): Promise<void> {
    await joinFabric(this.#config(), { server, token, force: false }, this.#surroundings());
  }

  /** @param server another way to the control plane than the one it was joined by */
  async start(server?: string): Promise<void> {
    this.#agent = await startAgent(this.#config(server), this.#surroundings());
  }

  async stop(reason?: GoodbyeReason): Promise<void> {
    await this.#agent?.close(reason);
    this.#agent = null;
  }

  /** Stops, and nothing of it stays. */
  async remove(): Promise<void> {
    await this.stop();
    this.#home.remove();
  }

  #config(server?: string): AgentConfig {
    const cadence = String(this.#options.cadenceMs ?? CADENCE_MS);
    const flags = {
      state: this.stateDirectory,
      name: this.name,
      ...(server === undefined ? {} : { server }),
    };
    return readAgentConfig(flags, {
      AI_FABRIC_AGENT_GPU_CADENCE_MS: cadence,
      AI_FABRIC_AGENT_HOST_CADENCE_MS: cadence,
      AI_FABRIC_AGENT_ENGINE_CADENCE_MS: cadence,
      ...(this.nvidiaSmi === null ? {} : { AI_FABRIC_AGENT_NVIDIA_SMI: this.nvidiaSmi.path }),
    });
  }

  #surroundings() {
    const {
      clock = systemClock(),
      log = pino({ level: 'silent' }),
      openKeeper,
      policy,
      openUpgrades,
    } = this.#options;
    return {
      ...{ clock, log, random: Math.random },
      ...(openKeeper === undefined ? {} : { openKeeper }),
      ...(policy === undefined ? {} : { policy }),
      ...(openUpgrades === undefined ? {} : { openUpgrades }),
    };
  }
}

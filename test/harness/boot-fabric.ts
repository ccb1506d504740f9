import type { ControlPlaneConfig } from '@ai-fabric/control-plane';
import type { Task } from '@ai-fabric/shared';
import { eventually } from '../simulators/common/eventually.js';
import type { OpenAiSimulatorOptions } from '../simulators/openai/options.js';
import type { Runner, VllmSimulatorOptions } from '../simulators/vllm/options.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { AgentHost, type AgentHostOptions } from './agent-host.js';
import { BootedControlPlane } from './boot-control-plane.js';
import { CloudProvider } from './cloud-provider.js';
import { type DeploymentSpec, type FabricSpec, fabricYaml } from './fabric-yaml.js';
import { LightHost } from './light-host.js';

export interface EngineOptions extends Partial<VllmSimulatorOptions> {
  readonly task?: Task;
  /** As it is declared. */
  readonly maxConcurrent?: number;
  /** What the engine itself takes at once, whatever is declared. */
  readonly engineSlots?: number;
  readonly capabilities?: readonly string[];
  readonly contextTokens?: number;
  readonly listed?: boolean;
}

export interface FabricHostOptions extends Omit<AgentHostOptions, 'name'> {
  /** By the deployment's name. */
  readonly engines?: Readonly<Record<string, EngineOptions>>;
  readonly mayBeAway?: boolean;
  /**
   * The real agent by default. `none`: it is declared, and never comes. `stand-in`: somebody who once said that its
   * engines are ready and believes so ever after, so that what becomes of them is left to the gateway alone.
   */
  readonly agent?: 'real' | 'stand-in' | 'none';
}

export interface BootFabricOptions extends Pick<FabricSpec, 'roles' | 'aliases' | 'gateway' | 'checks'> {
  readonly hosts?: Readonly<Record<string, FabricHostOptions>>;
  /** The provider `openai` with the models `strong` and `cheap`. */
  readonly cloud?: Partial<OpenAiSimulatorOptions>;
  readonly config?: Partial<ControlPlaneConfig>;
}

/** A whole fabric in this process: a control plane, hosts with an agent each, their engines, and a provider. */
export class BootedFabric {
  readonly #engines = new Map<string, VllmSimulator>();
  readonly #hosts = new Map<string, AgentHost>();
  readonly #standIns: LightHost[] = [];
  readonly #options: BootFabricOptions;
  #cloud: CloudProvider | null = null;
  #controlPlane: BootedControlPlane | null = null;

  private constructor(options: BootFabricOptions) {
    this.#options = options;
  }

  /** Resolves when each engine that is up has been proven by the agent of its host. */
  static async boot(options: BootFabricOptions): Promise<BootedFabric> {
    const fabric = new BootedFabric(options);
    try {
      await fabric.#start();
    } catch (error) {
      await fabric.close();
      throw error;
    }
    return fabric;
  }

  get controlPlane(): BootedControlPlane {
    return known(this.#controlPlane, 'control plane');
  }
  get cloud(): CloudProvider {
    return known(this.#cloud, 'provider');
  }

  /** @param deployment that it serves */
  engine(deployment: string): VllmSimulator {
    return known(this.#engines.get(deployment), `engine of "${deployment}"`);
  }
  host(name: string): AgentHost {
    return known(this.#hosts.get(name), `host "${name}"`);
  }

  /** Lets a host join whose agent was to be real. Resolves when what it serves is proven. */
  async join(name: string): Promise<void> {
    const options = this.#optionsOf(name);
    const { controlPlane } = this;
    const host = await AgentHost.prepare({ ...options, name });
    this.#hosts.set(name, host);
    await host.join(controlPlane.tlsUrl, await controlPlane.joinToken(name));
    await host.start();
    await Promise.all(Object.keys(options.engines ?? {}).map((deployment) => this.untilServed(deployment)));
  }

  /** Waits until a deployment's replica is ready, unless its engine is not to be up. */
  async untilServed(deployment: string): Promise<void> {
    if (!this.engine(deployment).listening) return;
    await this.untilPhase(deployment, 'ready', SERVED_DEADLINE_MS);
  }

  async untilPhase(deployment: string, phase: string, deadlineMs?: number): Promise<void> {
    let seen: unknown;
    const isIn = async (): Promise<boolean> => {
      const { observed } = await this.controlPlane.api<ObservedDeployment>(`/deployments/${deployment}`);
      seen = observed?.status;
      return observed?.status.phase === phase;
    };
    await eventually(`${deployment} is ${phase}`, isIn, deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(seen)}`);
    });
  }

  async untilPresence(host: string, presence: string): Promise<void> {
    await eventually(`${host} is ${presence}`, async () => {
      return (await this.controlPlane.api<{ presence: string }>(`/hosts/${host}`)).presence === presence;
    });
  }

  /** Requests that the control plane has under way at a target, by its own metrics. */
  async inFlight(target: string): Promise<number> {
    const text = await (await fetch(`${this.controlPlane.url}/metrics`)).text();
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`ai_fabric_target_in_flight{target="${target}",`));
    return Number(known(line, `in-flight metric of "${target}"`).split(' ').at(-1));
  }

  chat(
    model: string,
    more: Readonly<Record<string, unknown>> = {},
    init: RequestInit = {},
  ): Promise<Response> {
    const messages = [{ role: 'user', content: 'Hello' }];
    return this.controlPlane.post('/v1/chat/completions', { model, messages, ...more }, init);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.remove()));
    await Promise.all(this.#standIns.map((host) => host.close()));
    await this.#controlPlane?.close();
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()));
    await this.#cloud?.close();
  }

  async #start(): Promise<void> {
    const { cloud, config = {} } = this.#options;
    if (cloud) this.#cloud = await CloudProvider.start(cloud);
    const deployments = await this.#startEngines();
    this.#controlPlane = await BootedControlPlane.boot({ fabric: this.#declare(deployments), config });
    const joining = Object.entries(this.#options.hosts ?? {}).map(([name, { agent = 'real' }]) => {
      if (agent === 'real') return this.join(name);
      return agent === 'stand-in' ? this.#joinStandIn(name) : undefined;
    });
    await Promise.all(joining);
  }

  async #joinStandIn(name: string): Promise<void> {
    const { tlsUrl } = this.controlPlane;
    const standIn = new LightHost({ tlsUrl, name, joinToken: await this.controlPlane.joinToken(name) });
    this.#standIns.push(standIn);
    await standIn.link();
    const deployments = Object.keys(this.#optionsOf(name).engines ?? {});
    standIn.serve(...deployments);
    await Promise.all(deployments.map((deployment) => this.untilServed(deployment)));
  }

  #optionsOf(name: string): FabricHostOptions {
    return known(this.#options.hosts?.[name], `host "${name}"`);
  }

  async #startEngines(): Promise<Record<string, DeploymentSpec>> {
    const deployments: Record<string, DeploymentSpec> = {};
    for (const [host, { engines = {} }] of Object.entries(this.#options.hosts ?? {})) {
      for (const [name, options] of Object.entries(engines)) {
        const {
          task = 'chat',
          maxConcurrent,
          engineSlots,
          contextTokens,
          capabilities,
          listed,
          ...engine
        } = options;
        // Its own name of the model is not the deployment's: what reaches it shows that the gateway knows both.
        const servedModel = `served/${name}`;
        const simulator = await startVllmSimulator({
          name,
          model: servedModel,
          runner: RUNNERS[task],
          ...AT_ONCE,
          ...(engineSlots === undefined ? {} : { maxConcurrent: engineSlots }),
          ...engine,
        });
        this.#engines.set(name, simulator);
        deployments[name] = {
          ...{ host, task, url: simulator.url, servedModel },
          ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
          ...(contextTokens === undefined ? {} : { contextTokens }),
          ...(capabilities === undefined ? {} : { capabilities }),
          ...(listed === undefined ? {} : { listed }),
        };
      }
    }
    return deployments;
  }

  #declare(deployments: Readonly<Record<string, DeploymentSpec>>): string {
    const { hosts = {}, roles, aliases, gateway, checks } = this.#options;
    return fabricYaml({
      hosts: Object.fromEntries(
        Object.entries(hosts).map(([name, { mayBeAway = false }]) => [name, { mayBeAway }]),
      ),
      deployments,
      ...(this.#cloud === null ? {} : { providers: { openai: this.#cloud.spec } }),
      ...(roles === undefined ? {} : { roles }),
      ...(aliases === undefined ? {} : { aliases }),
      ...(gateway === undefined ? {} : { gateway }),
      ...(checks === undefined ? {} : { checks }),
    });
  }
}

/** How vLLM runs a model for each task. */
const RUNNERS: Readonly<Record<Task, Runner>> = {
  chat: 'generate',
  embeddings: 'pooling',
  rerank: 'scoring',
  transcription: 'speech',
};

interface ObservedDeployment {
  readonly observed: { readonly status: { readonly phase: string } } | null;
}

/** A second where the processors are free. */
const SERVED_DEADLINE_MS = 45_000;

/** Gauges without the lag of a real engine: tests that are about the lag say so. */
const AT_ONCE = { gaugeLagMs: 0, gaugeColdMs: 0 } as const;

function known<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new Error(`this fabric has no ${what}`);
  return value;
}

import { fileURLToPath } from 'node:url';
import { eventually } from '../../simulators/common/eventually.js';
import type { InstalledNvidiaSmi } from '../../simulators/nvidia-smi/install-nvidia-smi.js';
import type { LanHost } from './lan.js';
import { LanFabric } from './lan-fabric.js';
import { askFrom, type LanProgram, lanPrograms, type Reply } from './lan-program.js';
import { LanSleeper } from './lan-sleeper.js';

/** Built, as the programs are. */
const ENGINE = fileURLToPath(new URL('../../dist/real/podman/vllm-container-program.js', import.meta.url));
const CONTAINERS = fileURLToPath(
  new URL('../../dist/real/network/container-engine-program.js', import.meta.url),
);
const ENGINE_PORT = 8_001;
const LOOK_MS = 500;

interface Host {
  readonly name: string;
  readonly power: Power;
  readonly issues: readonly { readonly code: string }[];
}

interface Power {
  readonly state: string;
  readonly wakeability: { readonly kind: string };
}

export interface Wake {
  readonly host: string;
  readonly role: string | null;
  readonly outcome: string | null;
  readonly fromState: string;
  readonly failedPhase: string | null;
  readonly detail: string | null;
  readonly phases: Readonly<Record<string, number>>;
  readonly askedAtMs: number;
  readonly endedAtMs: number | null;
}

export interface SleeperOptions {
  readonly name: string;
  readonly host: LanHost;
  /** With its prefix. */
  readonly address: string;
  /** What an engine of its own, outside of containers, serves; without it there is none. */
  readonly model?: string;
  /** Where its agent looks for a container engine. */
  readonly socket?: string;
  /** There is a container engine, with the cards that this shows. */
  readonly nvidiaSmi?: InstalledNvidiaSmi;
  /** It comes up for its packets, and its agent and its engine do not. */
  readonly staysSilent?: boolean;
}

/** What the container engines of such machines can pull. */
export const LAN_IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';

/** Machines that sleep and wake by real packets, on a LAN and behind its router. Their cards are real, and said to be armed. */
export class SleepingLan {
  readonly fabric: LanFabric;
  readonly #server: string;
  readonly #sleepers: LanSleeper[] = [];
  #looked: { readonly hosts: Promise<readonly Host[]>; readonly untilMs: number } | null = null;

  /** @param controlPlane its address with prefix */
  constructor(controlPlane: string) {
    this.fabric = new LanFabric(controlPlane);
    this.#server = `https://${bare(controlPlane)}:8443`;
  }

  /** A machine that stays on. */
  async addRelay(name: string, host: LanHost, address: string): Promise<LanProgram> {
    const agent = await this.fabric.startAgent(host, name, this.#server, this.#cardsOf(name, host, address));
    await this.untilPower(name, 'online');
    return agent;
  }

  /** One that has been awake: what is known of it came from its agent. */
  async addSleeper(options: SleeperOptions): Promise<LanSleeper> {
    const { name, host, address, staysSilent = false } = options;
    const { fabric } = this;
    const { environment, args, logFile } = await fabric.joinAgent(host, name, this.#server, {
      ...this.#cardsOf(name, host, address),
      ...(options.socket === undefined ? {} : { AI_FABRIC_AGENT_CONTAINER_ENGINE: options.socket }),
      ...(options.nvidiaSmi === undefined ? {} : { AI_FABRIC_AGENT_NVIDIA_SMI: options.nvidiaSmi.path }),
    });
    const agent = { command: process.execPath, args: [lanPrograms.agent, ...args], environment, logFile };
    const machine = { macs: [fabric.lan.macOf(host)], programs: [agent, ...this.#enginesOf(options)] };
    const awake = this.#kept(new LanSleeper(fabric.lan, host, { ...machine, initially: 'awake' }));
    await this.untilPower(name, 'online');
    if (!staysSilent) return awake;
    await this.shutDown(name, awake);
    await awake.close();
    const silent = this.#kept(new LanSleeper(fabric.lan, host, { ...machine, behaviour: 'silent' }));
    await eventually(`${name} listens`, () => silent.isListening);
    return silent;
  }

  /** Waits until the control plane says so, and knows by what it may be woken. */
  async untilPower(name: string, state: string, deadlineMs = 120_000): Promise<void> {
    const holds = async () => {
      const power = await this.powerOf(name);
      return power.state === state && power.wakeability.kind !== 'unknown';
    };
    await this.untilAsked(`${name} is ${state}`, holds, deadlineMs);
  }

  /** Each look starts a program in a namespace: it looks seldom. */
  async untilAsked(what: string, holds: () => Promise<boolean>, deadlineMs = 30_000): Promise<void> {
    let dueMs = 0;
    const look = async () => {
      if (performance.now() < dueMs) return false;
      const held = await holds();
      dueMs = performance.now() + LOOK_MS;
      return held;
    };
    await eventually(what, look, deadlineMs);
  }

  async shutDown(name: string, sleeper: LanSleeper): Promise<void> {
    sleeper.shutDown();
    await this.untilPower(name, 'offline');
    await eventually(`${name} is off`, () => sleeper.state === 'off');
    sleeper.forgetEvents();
  }

  async powerOf(name: string): Promise<Power> {
    const host = (await this.#hosts()).find((each) => each.name === name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host.power;
  }

  /** Codes of what stands open of it. */
  async issuesOf(name: string): Promise<readonly string[]> {
    const { body } = await this.fabric.api(`/hosts/${name}`);
    return (JSON.parse(body) as Host).issues.map(({ code }) => code);
  }

  /** Waits until its model was proven. */
  async untilReady(deployment: string): Promise<void> {
    let status: { readonly phase: string } | undefined;
    const isReady = async () => {
      const { body } = await this.fabric.api(`/deployments/${deployment}`);
      status = (JSON.parse(body) as { observed: { status: { phase: string } } | null }).observed?.status;
      return status?.phase === 'ready';
    };
    await this.untilAsked(`${deployment} is ready`, isReady, 90_000).catch((cause: unknown) => {
      throw new Error(`${deployment} is ${JSON.stringify(status)}`, { cause });
    });
  }

  /** Newest first. */
  async wakes(): Promise<readonly Wake[]> {
    const { body } = await this.fabric.api('/wakes');
    return (JSON.parse(body) as { items: Wake[] }).items;
  }

  /** A streamed request of a client of the control plane's machine, to its end. */
  chat(model: string): Promise<Reply> {
    return askFrom(this.fabric.motoko, {
      url: 'http://127.0.0.1:8000/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model, stream: true, max_tokens: 4 },
        messages: [{ role: 'user', content: 'Hello' }],
      }),
      timeoutMs: 60_000,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#sleepers.map((sleeper) => sleeper.close()));
    await this.fabric.close();
  }

  /** One look for all who wait. */
  #hosts(): Promise<readonly Host[]> {
    if (this.#looked === null || this.#looked.untilMs < performance.now()) {
      const hosts = this.fabric
        .api('/hosts')
        .then(({ body }) => (JSON.parse(body) as { items: readonly Host[] }).items);
      this.#looked = { hosts, untilMs: performance.now() + LOOK_MS };
    }
    return this.#looked.hosts;
  }

  #kept(sleeper: LanSleeper): LanSleeper {
    this.#sleepers.push(sleeper);
    return sleeper;
  }

  #enginesOf({ name, address, model, socket, nvidiaSmi }: SleeperOptions) {
    const logFile = this.fabric.write(`engine-${name}.log`, '');
    const command = process.execPath;
    const environment = { SIMULATED_HOST: bare(address), SIMULATED_PORT: String(ENGINE_PORT) };
    const containers = [CONTAINERS, socket ?? '', nvidiaSmi?.scenarioPath ?? '', LAN_IMAGE];
    return [
      ...(model === undefined ? [] : [{ command, args: [ENGINE, '--model', model], environment, logFile }]),
      ...(nvidiaSmi === undefined ? [] : [{ command, args: containers, environment: {}, logFile }]),
    ];
  }

  #cardsOf(name: string, host: LanHost, address: string): Record<string, string> {
    const card = {
      ...{ name: 'eth0', mac: this.fabric.lan.macOf(host), addresses: [address], kind: 'wired' },
      ...{ gatewayMac: null, wake: { supported: true, armed: true, detail: 'Wake-on: g' } },
    };
    const file = this.fabric.write(`cards-${name}.json`, JSON.stringify([card]));
    return { AI_FABRIC_AGENT_SIMULATED_INTERFACES: file };
  }
}

function bare(addressWithPrefix: string): string {
  return addressWithPrefix.split('/')[0] ?? '';
}

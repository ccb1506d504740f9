import { fileURLToPath } from 'node:url';
import { eventually } from '../../simulators/common/eventually.js';
import type { LanHost } from './lan.js';
import { LanFabric } from './lan-fabric.js';
import { askFrom, type LanProgram, lanPrograms, type Reply } from './lan-program.js';
import { LanSleeper } from './lan-sleeper.js';

/** Built, as the programs are. */
const ENGINE = fileURLToPath(new URL('../../dist/real/podman/vllm-container-program.js', import.meta.url));
const ENGINE_PORT = 8_001;
const LOOK_MS = 500;

interface Host {
  readonly name: string;
  readonly power: Power;
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
  readonly endedAtMs: number | null;
}

export interface SleeperOptions {
  readonly name: string;
  readonly host: LanHost;
  /** With its prefix. */
  readonly address: string;
  /** What its engine serves. */
  readonly model: string;
  /** It comes up for its packets, and its agent and its engine do not. */
  readonly staysSilent?: boolean;
}

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
  async addSleeper({ name, host, address, model, staysSilent = false }: SleeperOptions): Promise<LanSleeper> {
    const { fabric } = this;
    const cards = this.#cardsOf(name, host, address);
    const { environment, args, logFile } = await fabric.joinAgent(host, name, this.#server, cards);
    const engine = {
      command: process.execPath,
      args: [ENGINE, '--model', model],
      environment: { SIMULATED_HOST: bare(address), SIMULATED_PORT: String(ENGINE_PORT) },
      logFile: fabric.write(`engine-${name}.log`, ''),
    };
    const agent = { command: process.execPath, args: [lanPrograms.agent, ...args], environment, logFile };
    const options = { macs: [fabric.lan.macOf(host)], programs: [agent, engine] };
    const awake = new LanSleeper(fabric.lan, host, { ...options, initially: 'awake' });
    await this.untilPower(name, 'online');
    if (!staysSilent) return this.#kept(awake);
    await this.shutDown(name, awake);
    await awake.close();
    const silent = this.#kept(new LanSleeper(fabric.lan, host, { ...options, behaviour: 'silent' }));
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

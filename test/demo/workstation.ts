import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../simulators/common/eventually.js';
import { SleepingMachine } from '../simulators/sleeping-machine/sleeping-machine.js';
import type { VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { programs } from './child-program.js';

export interface WorkstationOptions {
  readonly directory: string;
  readonly name: string;
  readonly mac: string;
  readonly agentState: string;
  readonly logFile: string;
  /** What serves on it while it is awake. */
  readonly engines: readonly VllmSimulator[];
  /** From its start to the model that answers. */
  readonly loadMs: number;
}

const COLD_START_MS = 400;

/** A simulated workstation that sleeps, and wakes on its magic packet: the real agent, simulated engines. */
export class Workstation {
  readonly settings: Readonly<Record<string, string>>;
  readonly #options: WorkstationOptions;
  readonly #powerCallsFile: string;
  #machine: SleepingMachine | null = null;

  /** Where its packet is waited for. */
  readonly port: number;

  private constructor(options: WorkstationOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.#powerCallsFile = join(options.directory, `power-calls-${options.name}`);
    this.settings = {
      ...simulatedInterfaces(options.directory, options.name, options.mac),
      AI_FABRIC_AGENT_POWER_SHIM: this.#powerCallsFile,
    };
  }

  static async prepare(options: WorkstationOptions): Promise<Workstation> {
    return new Workstation(options, await freeUdpPort());
  }

  get isAwake(): boolean {
    return this.#machine?.state === 'awake';
  }

  /** Waits for its packet, off. @param environment of its agent */
  async start(environment: Readonly<Record<string, string>>): Promise<void> {
    const { mac, logFile } = this.#options;
    const agent = {
      command: process.execPath,
      args: [programs.agent, 'run'],
      environment: { ...environment },
      logFile,
    };
    this.#machine = new SleepingMachine(
      {
        ...{ macs: [mac], ports: [this.port], address: '127.0.0.1', programs: [agent] },
        ...{ powerCallsFile: this.#powerCallsFile, wakesAfterMs: COLD_START_MS },
      },
      (event) => {
        if (event.event === 'state') void this.#follow(event.state === 'awake', event.state === 'waking');
      },
    );
    await this.#machine.start();
  }

  async pressButton(): Promise<void> {
    this.#machine?.pressButton();
    await eventually(`${this.#options.name} is up`, () => this.isAwake);
  }

  /** As its owner does; it says goodbye. */
  async shutDown(): Promise<void> {
    await this.#machine?.shutDown();
  }

  async close(): Promise<void> {
    await this.#machine?.close();
  }

  async #follow(isAwake: boolean, isWaking: boolean): Promise<void> {
    if (isWaking) return;
    const { engines, loadMs } = this.#options;
    await Promise.all(
      engines.map((engine) => (isAwake ? engine.restart(loadMs) : engine.fault({ kind: 'crash' }))),
    );
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** This computer runs several machines: each brings a card of its own, on the one network that they share. */
export function simulatedInterfaces(directory: string, name: string, mac: string): Record<string, string> {
  const file = join(directory, `interfaces-${name}.json`);
  const card = {
    ...{ name: 'eth0', mac, addresses: ['127.0.0.1/8'], kind: 'wired', gatewayMac: null },
    wake: { supported: true, armed: true, detail: 'Wake-on: g (simulated)' },
  };
  writeFileSync(file, JSON.stringify([card]));
  return { AI_FABRIC_AGENT_SIMULATED_INTERFACES: file };
}

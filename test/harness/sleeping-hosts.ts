import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type HostInventory, magicPacket } from '@ai-fabric/shared';
import { eventually } from '../simulators/common/eventually.js';
import type { BootedControlPlane } from './boot-control-plane.js';
import { hostKeys, LightHost } from './light-host.js';

/** What comes of a magic packet: its model, its agent alone, or nothing. */
export type WakeManner = 'serves' | 'agent_only' | 'deaf';

/** Where they join. */
export type SleepersHome = Pick<BootedControlPlane, 'tlsUrl' | 'joinToken' | 'api'>;

/** Hosts on the loopback interface that come back at their magic packet: real UDP and real links, and no agents. */
export class SleepingHosts {
  readonly #socket: Socket;
  readonly #hosts: SleepingHost[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message) => {
      for (const host of this.#hosts) if (message.includes(host.magic)) host.takePacket();
    });
  }

  static async listen(): Promise<SleepingHosts> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SleepingHosts(socket);
  }

  /** Where magic packets are to go. */
  get port(): number {
    return this.#socket.address().port;
  }

  /** One that has joined, serves these deployments, and is awake. */
  async add(controlPlane: SleepersHome, name: string, deployments: readonly string[]): Promise<SleepingHost> {
    const mac = `52:54:00:00:00:${(this.#hosts.length + 10).toString(16).padStart(2, '0')}`;
    const host = new SleepingHost(controlPlane, name, mac, deployments);
    this.#hosts.push(host);
    await host.join();
    return host;
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

export class SleepingHost {
  readonly name: string;
  readonly magic: Buffer;
  /** That came while it slept. */
  packets = 0;
  /** By `performance.now()`: when the first of them came, and when its models were last said to be ready. */
  packetAtMs: number | null = null;
  readyAtMs: number | null = null;
  manner: WakeManner = 'serves';
  readonly #controlPlane: SleepersHome;
  readonly #mac: string;
  readonly #deployments: readonly string[];
  readonly #keys = hostKeys();
  #link: LightHost | null = null;
  #rising: Promise<void> | null = null;

  constructor(controlPlane: SleepersHome, name: string, mac: string, deployments: readonly string[]) {
    this.#controlPlane = controlPlane;
    this.name = name;
    this.#mac = mac;
    this.#deployments = deployments;
    this.magic = Buffer.from(magicPacket(mac));
  }

  async join(): Promise<void> {
    await this.#dial(await this.#controlPlane.joinToken());
    this.#report();
    await this.#untilPresence('online');
  }

  /** Its models are ready; where its agent comes back, then. */
  async serve(): Promise<void> {
    await this.#rising;
    this.#report();
  }

  /** @param said left out, its power is cut */
  async sleep(said: 'suspend' | 'shutdown' = 'suspend'): Promise<void> {
    await this.#rising;
    await this.#link?.sayGoodbye(said);
    this.#link = null;
    this.packetAtMs = null;
    this.readyAtMs = null;
    await this.#untilPresence('away');
  }

  async #obey(link: LightHost): Promise<void> {
    await link.sayGoodbye('suspend');
    if (this.#link === link) this.#link = null;
  }

  takePacket(): void {
    if (this.#link !== null || this.#rising !== null) return;
    this.packets += 1;
    this.packetAtMs ??= performance.now();
    if (this.manner !== 'deaf')
      this.#rising = this.#rise().finally(() => {
        this.#rising = null;
      });
  }

  async #rise(): Promise<void> {
    await this.#dial();
    if (this.manner === 'serves') this.#report();
  }

  async close(): Promise<void> {
    await this.#rising?.catch(() => undefined);
    await this.#link?.close();
  }

  async #dial(joinToken?: string): Promise<void> {
    const { tlsUrl } = this.#controlPlane;
    const link = new LightHost({
      ...{ tlsUrl, name: this.name, keys: this.#keys, machine: this.name },
      onCommand: (name) => {
        if (name === 'power') void this.#obey(link);
      },
      ...(joinToken === undefined ? {} : { joinToken }),
    });
    this.#link = link;
    await link.link();
    link.report({ inventory: this.#inventory() });
  }

  #report(): void {
    this.readyAtMs = performance.now();
    this.#link?.serve(...this.#deployments);
    this.#link?.reportSample();
  }

  #untilPresence(presence: string): Promise<void> {
    return eventually(`${this.name} is ${presence}`, async () => {
      const host = await this.#controlPlane.api<{ presence: string }>(`/hosts/${this.name}`);
      return host.presence === presence;
    });
  }

  #inventory(): HostInventory {
    return {
      ...{
        os: 'linux',
        osName: 'Debian',
        kernel: '6.1',
        architecture: 'x64',
        cpuModel: 'any',
        cpuThreads: 8,
      },
      ...{ memoryTotalBytes: 32e9, bootId: 'boot-1', bootedAtMs: 0, gpus: [] },
      power: {
        ...{ verbs: ['suspend', 'poweroff'], sleepStates: ['mem'] },
        ...{ modernStandby: null, fastStartup: null, onBattery: false },
      },
      interfaces: [
        {
          ...{ name: 'lo', mac: this.#mac, addresses: ['127.0.0.1/8'], kind: 'wired', gatewayMac: null },
          wake: { supported: true, armed: true, detail: 'Wake-on: g' },
        },
      ],
    };
  }
}

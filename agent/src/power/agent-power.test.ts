import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Command,
  formatJoinToken,
  magicPacket,
  type NetworkInterface,
  systemClock,
} from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAgentConfig } from '../config/read-agent-config.js';
import { joinFabric } from '../join.js';
import {
  FakeControlPlane,
  makeCertificate,
  type TestCertificate,
} from '../link/testing/fake-control-plane.js';
import { reading } from '../sensors/sensor.js';
import { type Agent, startAgent } from '../start-agent.js';
import { fakeSensors } from '../testing/fake-sensors.js';

const log = pino({ level: 'silent' });
const closing: (() => Promise<unknown>)[] = [];
let certificate: TestCertificate;
let directory: string;

beforeAll(async () => {
  certificate = await makeCertificate();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-power-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const until = (condition: () => unknown): Promise<unknown> =>
  expect.poll(condition, { timeout: 30_000, interval: 5 }).toBeTruthy();

/** A joined agent whose power calls are written down, and whose machine can sleep. */
class Rig {
  readonly plane: FakeControlPlane;
  readonly agent: Agent;
  readonly #sleep: { ms: number };
  #commands = 0;

  private constructor(plane: FakeControlPlane, agent: Agent, sleep: { ms: number }) {
    this.plane = plane;
    this.agent = agent;
    this.#sleep = sleep;
  }

  static async start(interfaces: NetworkInterface[] = []): Promise<Rig> {
    const plane = await FakeControlPlane.start({ certificate });
    closing.push(() => plane.close());
    const environment = {
      AI_FABRIC_AGENT_POWER_SHIM: join(directory, 'power'),
      AI_FABRIC_AGENT_GPU_CADENCE_MS: '250',
    };
    const config = readAgentConfig({ state: directory, name: 'armitage' }, environment);
    const clock = systemClock();
    const secret = randomBytes(32).toString('base64url');
    const token = formatJoinToken({ id: 'abcdefgh', secret, certificateSha256: certificate.sha256 });
    const dependencies = { clock, random: Math.random, log };
    await joinFabric(config, { server: plane.url, token, force: false }, dependencies);
    const sleep = { ms: 0 };
    const sensors = fakeSensors();
    const { read } = sensors.hostInventory;
    sensors.hostInventory.read = async (...signal) => {
      const result = await read(...signal);
      return result.ok ? reading({ ...result.reading, interfaces }) : result;
    };
    const agent = await startAgent(config, {
      ...dependencies,
      sensors,
      elapsedMs: () => clock.monotonicMs() + sleep.ms,
    });
    closing.push(() => agent.close());
    await until(() => plane.links.length === 2 && plane.reports.some(({ inventory }) => inventory));
    return new Rig(plane, agent, sleep);
  }

  get bootId(): string {
    return this.plane.link.bodies('hello')[0]?.bootId ?? '';
  }

  ask(command: Command): string {
    this.#commands += 1;
    this.plane.link.command(`c${this.#commands}`, command);
    return `c${this.#commands}`;
  }

  suspend(bootId = this.bootId): string {
    return this.ask({ name: 'power', verb: 'suspend', bootId, drainSeconds: 1, reason: 'idle' });
  }

  outcome(commandId: string) {
    return this.plane.links
      .flatMap((link) => link.bodies('outcome'))
      .find((each) => each.commandId === commandId);
  }

  recorded(): unknown[] {
    const file = join(directory, 'power');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  }

  sleeps(ms: number): void {
    this.#sleep.ms += ms;
  }
}

describe('an agent that is told to suspend its host', () => {
  test('says goodbye, acts, stays away, and is back as soon as it wakes', async () => {
    const rig = await Rig.start();
    const { link } = rig.plane;
    const commandId = rig.suspend();
    await until(() => link.closedWith !== null);
    expect(link.bodies('goodbye')).toMatchObject([{ reason: 'suspend', detail: 'suspend: idle' }]);
    await until(() => rig.recorded().length);
    expect(rig.recorded()).toEqual([{ call: 'act', verb: 'suspend' }]);
    expect(rig.plane.links).toHaveLength(2);
    rig.sleeps(3_600_000);
    await until(() => rig.plane.links.length === 3 && rig.outcome(commandId));
    expect(rig.outcome(commandId)).toMatchObject({ result: 'done' });
    await until(() => rig.plane.link.bodies('report').some(({ telemetry }) => telemetry));
  });

  test('obeys no order of another boot', async () => {
    const rig = await Rig.start();
    const commandId = rig.suspend('yesterday');
    await until(() => rig.outcome(commandId));
    expect(rig.outcome(commandId)).toMatchObject({ result: 'refused', code: 'void_on_new_boot' });
    expect(rig.recorded()).toEqual([]);
  });

  test('dials anew when its machine slept without anybody’s word', async () => {
    const rig = await Rig.start();
    const { link } = rig.plane;
    rig.sleeps(600_000);
    await until(() => rig.plane.links.length === 3 && rig.plane.link.bodies('report').length);
    expect(link.bodies('goodbye')).toEqual([]);
    expect(rig.agent.status().link.state).toBe('linked');
  });
});

test('an agent holds its host awake, and lets go', async () => {
  const rig = await Rig.start();
  const held = rig.ask({ name: 'hold_awake', seconds: 600 });
  await until(() => rig.outcome(held));
  const letGo = rig.ask({ name: 'hold_awake', seconds: 0 });
  await until(() => rig.outcome(letGo));
  expect(rig.recorded()).toEqual([{ call: 'hold' }, { call: 'release' }]);
});

test('an agent wakes a neighbour', async () => {
  const neighbour = createSocket('udp4');
  closing.push(async () => neighbour.close());
  const heard: Buffer[] = [];
  neighbour.on('message', (message) => heard.push(message)).bind(0, '0.0.0.0');
  await once(neighbour, 'listening');
  const { port } = neighbour.address() as AddressInfo;
  const gatewayMac = '52:54:00:00:00:01';
  const rig = await Rig.start([
    { name: 'eth0', mac: '52:54:00:aa:00:01', addresses: ['127.0.0.1/8'], kind: 'wired', gatewayMac },
  ]);
  const mac = '52:54:00:bb:00:01';
  const order = { wakeId: 'w1', macs: [mac], gatewayMac, addresses: ['127.0.0.1'], ports: [port] };
  const woken = rig.ask({ name: 'send_magic_packets', order });
  await until(() => rig.outcome(woken) && heard.length);
  expect(rig.outcome(woken)).toMatchObject({ result: 'done' });
  expect(heard[0]).toEqual(Buffer.from(magicPacket(mac)));
  const elsewhere = rig.ask({
    name: 'send_magic_packets',
    order: { ...order, gatewayMac: '52:54:00:00:00:02' },
  });
  await until(() => rig.outcome(elsewhere));
  expect(rig.outcome(elsewhere)).toMatchObject({ result: 'refused', code: 'not_on_that_lan' });
});

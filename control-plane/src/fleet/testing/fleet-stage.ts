import type { Command, HostInventory, NetworkInterface, ReplicaPhase } from '@ai-fabric/shared';
import { describeReplica, POWER_PROTOCOL_VERSION } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import type { DeclaredState } from '../../declared/declared-state.js';
import { parseFabricText } from '../../declared/parse-fabric-text.js';
import type { KnownHost } from '../../live/live-report.js';
import { LiveState } from '../../live/live-state.js';
import { inventory, sampleOf } from '../../live/testing/live-fixtures.js';
import type { PowerObservation, PowerRecords } from '../../registry/power-types.js';
import { createFleet, type Fleet } from '../create-fleet.js';
import type { FleetUse } from '../fleet-parts.js';
import type { PacketOrder, PacketsSent } from '../magic-packet-sender.js';
import type { SleepDesk } from '../sleep-desk.js';
import type { WakeAsk } from '../wake-desk.js';

type CommandEnd = {
  result: 'done' | 'failed' | 'refused' | 'expired';
  code: string | null;
  detail: string | null;
};

/** Of the machine that the control plane runs on. */
export const OWN_MAC = '52:54:00:00:ff:ff';
export const OWN_BOOT = 'boot-of-the-control-plane';
export const DONE: CommandEnd = { result: 'done', code: null, detail: null };

/** Lets all that waits for nothing but its turn happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export function wired(mac: string, address: string, more: Partial<NetworkInterface> = {}): NetworkInterface {
  return {
    name: 'eth0',
    mac,
    addresses: [address],
    kind: 'wired',
    gatewayMac: 'aa:aa:aa:aa:aa:01',
    wake: { supported: true, armed: true, detail: 'Wake-on: g' },
    ...more,
  };
}

export interface StageHost {
  readonly interfaces?: readonly NetworkInterface[];
  readonly power?: HostInventory['power'];
  /** Another one after each start of the machine. */
  readonly bootId?: string;
}

/** What a stage goes on from: a control plane that was started anew. */
export interface StageBefore {
  readonly clock: ManualClock;
  readonly known: readonly KnownHost[];
  /** Wakes that the one before it began. */
  readonly wakes: number;
}

/** A fleet on a virtual clock: hosts come and go as the test says, packets and commands are written down. */
export class FleetStage {
  readonly clock: ManualClock;
  readonly live: LiveState;
  readonly saved: PowerObservation[] = [];
  /** Volleys of this machine. */
  readonly packets: (PacketOrder & { readonly atMs: number })[] = [];
  readonly commands: { readonly host: string; readonly command: Command; readonly atMs: number }[] = [];
  /** What a host answers to a command; `null`: it has no link. */
  answer: (host: string, command: Command) => Promise<CommandEnd> | null = () => Promise.resolve(DONE);
  sent: PacketsSent = { isOut: true, notes: [] };
  answers = false;
  protocol: number | null = POWER_PROTOCOL_VERSION;
  /** Requests under way, by deployment. */
  readonly running = new Map<string, number>();
  /** What requests do on a host, where anything. */
  readonly use = new Map<string, Partial<ReturnType<FleetUse['useOf']>>>();
  readonly fleet: Fleet;
  readonly #startMs: number;
  #declared: DeclaredState;
  #ids = 0;
  #wakes: number;
  readonly #listeners = new Set<(state: DeclaredState) => void>();

  constructor(
    fabric: string,
    records: Partial<PowerRecords> = {},
    sleep?: SleepDesk,
    before: StageBefore | null = null,
  ) {
    this.clock = before?.clock ?? new ManualClock(Date.parse('2026-11-25T12:00:00Z'));
    this.#wakes = before?.wakes ?? 0;
    const log = pino({ level: 'silent' });
    this.#declared = parse(fabric);
    this.live = new LiveState({ clock: this.clock, log });
    this.live.seed(before?.known ?? [], this.#declared);
    this.#startMs = this.clock.nowMs();
    this.fleet = createFleet({
      live: this.live,
      declared: {
        current: () => this.#declared,
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => void this.#listeners.delete(listener);
        },
      },
      store: {
        load: () => ({ hosts: [], proofs: [], loads: [], wakes: [], ...records }),
        save: (observation) => void this.saved.push(observation),
      },
      link: {
        ask: (host, command) => {
          this.commands.push({ host, command, atMs: this.#atMs() });
          return this.answer(host, command);
        },
        protocolVersion: (host) => (this.live.host(host)?.presence === 'online' ? this.protocol : null),
      },
      use: {
        useOf: (host) => ({ inflight: 0, counted: 0, lastMs: null, queued: 0, ...this.use.get(host) }),
      },
      ownMachine: () => ({ macs: new Set([OWN_MAC]), addresses: new Set(), bootId: OWN_BOOT }),
      wakePorts: [9],
      wakersFile: '/no/such/wakers.yaml',
      environment: {},
      requestsInFlight: () => this.running,
      ...(sleep === undefined ? {} : { openSleepDesk: () => sleep }),
      newId: () => {
        this.#wakes += 1;
        return `wake-${this.#wakes}`;
      },
      clock: this.clock,
      log,
      ownAddresses: () => [{ interface: 'lan0', address: '192.168.1.5/24' }],
      sender: {
        send: (order) => {
          this.packets.push({ ...order, atMs: this.#atMs() });
          return Promise.resolve(this.sent);
        },
      },
      probe: () => Promise.resolve(this.answers),
    });
  }

  get wakes() {
    return this.fleet.wakes;
  }

  /** How many were begun. */
  get begunWakes(): number {
    return this.#wakes;
  }

  declare(fabric: string): void {
    this.#declared = parse(fabric);
    this.live.applyDeclared(this.#declared);
    for (const listener of this.#listeners) listener(this.#declared);
  }

  /** Its agent links and tells of it. */
  link(name: string, { interfaces, power, bootId }: StageHost = {}): void {
    const hostId = this.live.host(name)?.hostId ?? `id-${name}`;
    this.live.hostLinked({ hostId, name, agentVersion: '1', peerAddress: '192.168.1.99', draining: false });
    const known = this.live.host(name)?.inventory ?? null;
    const told = interfaces ?? known?.interfaces ?? [wired(this.#nextMac(), '192.168.1.20/24')];
    this.live.takeReport(name, {
      clockSkewMs: 0,
      samples: [],
      inventory: {
        ...inventory,
        ...(bootId === undefined ? {} : { bootId }),
        interfaces: [...told],
        power: power ?? known?.power,
      },
    });
  }

  /** Its agent links again, and has told nothing of it yet. */
  relink(name: string): void {
    const hostId = this.live.host(name)?.hostId ?? `id-${name}`;
    this.live.hostLinked({ hostId, name, agentVersion: '1', peerAddress: '192.168.1.99', draining: false });
  }

  /** The same machine, in this boot of it. */
  tellBoot(name: string, bootId: string): void {
    const known = this.live.host(name)?.inventory ?? inventory;
    this.live.takeReport(name, { clockSkewMs: 0, samples: [], inventory: { ...known, bootId } });
  }

  /** A live sample, and with it the states of its replicas. */
  report(
    name: string,
    replicas: Readonly<Record<string, ReplicaPhase>> = {},
    code: string | null = null,
  ): void {
    this.live.takeReport(name, {
      clockSkewMs: 0,
      samples: [{ sample: sampleOf(this.clock.nowMs()), backfilled: false }],
      replicas: Object.entries(replicas).map(([deployment, phase]) =>
        describeReplica({ deployment, phase, code, detail: code === null ? null : `because of ${code}` }),
      ),
      issues:
        code === null
          ? []
          : [{ code: 'sign_in_needed', subject: 'host', severity: 'error', detail: code, fix: null }],
    });
  }

  /** It says that it goes, or vanishes. */
  leave(name: string, reason: string | null): void {
    this.live.hostUnlinked(name, true, reason);
  }

  /** A host that was seen once, and sleeps. */
  sleeping(name: string, host: StageHost = {}, reason: string | null = 'suspend'): void {
    this.link(name, host);
    this.report(name);
    this.leave(name, reason);
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(500, left));
      await settle();
    }
  }

  /** As `advance`, for long stretches in which nobody answers anything in less than ten seconds. */
  async leap(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      this.clock.advance(Math.min(10_000, left));
      await settle();
    }
  }

  power(name: string) {
    return this.live.host(name)?.power;
  }

  ask(deployments: readonly string[], more: Partial<WakeAsk> = {}) {
    return this.wakes.wake({
      deployments,
      role: 'chat',
      keyId: 'key-1',
      isHeld: true,
      withinMs: 120_000,
      ...more,
    });
  }

  /** When volleys left, milliseconds since the stage began. */
  get volleysAtMs(): readonly number[] {
    return this.packets.map(({ atMs }) => atMs);
  }

  close(): void {
    this.fleet.close();
  }

  #atMs(): number {
    return this.clock.nowMs() - this.#startMs;
  }

  #nextMac(): string {
    this.#ids += 1;
    return `52:54:00:00:00:${this.#ids.toString(16).padStart(2, '0')}`;
  }
}

function parse(fabric: string): DeclaredState {
  const parsed = parseFabricText(fabric, 'fabric.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.state;
}

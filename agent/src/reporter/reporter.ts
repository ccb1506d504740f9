import type {
  Clock,
  ContainerEngineReport,
  EngineReading,
  GpuInventory,
  GpuReading,
  HostPolicy,
  HostReading,
  Issue,
  NetworkInterface,
  Orphan,
  OwnerReport,
  ReplicaStatus,
  Timer,
  UpgradeReport,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { Sensors } from '../sensors/open-sensors.js';
import type { AgentTime } from './agent-time.js';
import { nextTickMs } from './decide/next-tick.js';
import { telemetryDropped } from './decide/telemetry-dropped.js';
import { InventoryLane, type InventoryLaneOptions } from './inventory-lane.js';
import { IssueLedger } from './issue-ledger.js';
import { Outbox, type SendReport } from './outbox.js';
import { type ReplicaReadings, Sampler } from './sampler.js';

/** What the reporter wants to know of the host's replicas. */
export interface ReplicaView extends ReplicaReadings {
  readonly count: number;
  statuses(): ReplicaStatus[];
  orphans(): Orphan[];
  issues(): readonly Issue[];
}

/** What the reporter wants to know of the host's owner. */
export interface OwnerView {
  /** A new sample of the cards, by UUID. */
  sampled(cards: Readonly<Record<string, GpuReading>>): void;
  report(): OwnerReport;
}

export interface ReporterOptions {
  readonly sensors: Pick<Sensors, 'gpus' | 'gpuInventory' | 'host' | 'hostInventory'>;
  readonly replicas: ReplicaView;
  /** By default nobody is said to own the host. */
  readonly owner?: OwnerView;
  /** What this host's owner allows; `null` where the agent keeps no containers. */
  readonly policy: HostPolicy | null;
  /** Has the container engine looked for, where this agent keeps containers. */
  readonly lookForEngine: () => void;
  /** Called with what is found of cards and container engine. */
  readonly onSeen?: InventoryLaneOptions['onSeen'];
  readonly send: SendReport;
  readonly time: AgentTime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly gpuCadenceMs: number;
  readonly hostCadenceMs: number;
  readonly engineCadenceMs: number;
  readonly bufferBytes: number;
}

export interface ReporterStatus {
  readonly cards: readonly GpuInventory[];
  /** The cards were asked for once, whatever came of it. */
  readonly areCardsRead: boolean;
  /** As it was found last; `null`: nobody told yet. */
  readonly containerEngine: ContainerEngineReport | null;
  /** `null`: not read yet. */
  readonly interfaces: readonly NetworkInterface[] | null;
  readonly issues: readonly Issue[];
  readonly waitingSamples: number;
  readonly droppedSamples: number;
}

export interface ReporterReadings {
  readonly gpus: Readonly<Record<string, GpuReading>>;
  readonly host: HostReading;
}

const FIRST_WAIT_MS = 1_000;
/** So long after its last request, or a change of its phase, an engine is still read often: more may come. */
const BUSY_MS = 10_000;
/** How long the issue stands after the last drop. */
const DROPPED_ISSUE_MS = 600_000;

/** Says what happens on this host: samples on the fast lane, what it is on the slow one, changes at once. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #closing = new AbortController();
  readonly #ledger = new IssueLedger();
  readonly #outbox: Outbox;
  readonly #sampler: Sampler;
  readonly #lane: InventoryLane;
  #tickTimer: Timer | null = null;
  #soonTimer: Timer | null = null;
  #tick: Promise<void> | null = null;
  #busyAtMs = Number.NEGATIVE_INFINITY;
  /** For sensors that hang. */
  #waitMs = FIRST_WAIT_MS;
  /** None is not told until there was one. */
  #orphansTold = '[]';
  #wasUpgradeTold = false;
  #droppedBefore = 0;
  #droppedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReporterOptions) {
    const { sensors, replicas, policy, lookForEngine, time, clock, hostCadenceMs, send, log, bufferBytes } =
      options;
    const { onSeen } = options;
    const { signal } = this.#closing;
    this.#options = options;
    this.#outbox = new Outbox({ bufferBytes, time, log, send });
    this.#sampler = new Sampler({ ...sensors, replicas, time, clock, hostCadenceMs, signal });
    this.#lane = new InventoryLane({
      ...sensors,
      policy,
      lookForEngine,
      clock,
      signal,
      onInventory: (inventory) => {
        this.#outbox.tell('inventory', inventory);
        this.#outbox.pump();
      },
      onIssues: (issues) => this.#state('inventory', issues),
      onSeen: (seen) => onSeen?.(seen),
    });
    // Of the replicas nothing is said before the first wish: what the control plane knows of them may still be true.
    this.#outbox.tell('issues', []);
  }

  start(): void {
    this.#lane.start();
    this.#runTick();
  }

  linked(): void {
    // It tells for how long, which is true of this moment alone.
    this.#tellOwner();
    this.#outbox.linked();
  }

  down(): void {
    this.#outbox.down();
  }

  acked(seq: number): void {
    this.#outbox.acked(seq);
  }

  /** A phase, an issue or a queue of a replica changed: told now, in a sample of its own, not with the next one. */
  replicasChanged(): void {
    if (this.#closing.signal.aborted) return;
    this.#busyAtMs = this.#options.clock.monotonicMs();
    this.#soonTimer ??= this.#options.clock.after(0, () => {
      this.#soonTimer = null;
      this.#outbox.tell('replicas', this.#options.replicas.statuses());
      this.#tellOrphans();
      this.#state('replicas', this.#options.replicas.issues());
      this.#outbox.push(this.#sampler.latest());
      this.#outbox.pump();
    });
  }

  /** The owner took the cards or gave them back: told now. */
  ownerChanged(): void {
    if (this.#closing.signal.aborted) return;
    this.#tellOwner();
    this.#outbox.pump();
  }

  /** How far an upgrade of this agent is; none is not told until there was one. */
  upgradeChanged(upgrade: UpgradeReport | null): void {
    if (this.#closing.signal.aborted || (upgrade === null && !this.#wasUpgradeTold)) return;
    this.#wasUpgradeTold = true;
    this.#outbox.tell(
      'upgrade',
      upgrade && { phase: upgrade.phase, version: upgrade.version, detail: upgrade.detail },
    );
    this.#outbox.pump();
  }

  /** This host's physical interfaces, as they were read last; none before the first inventory. */
  interfaces(): readonly NetworkInterface[] {
    return this.#lane.interfaces;
  }

  /** All that is wrong with this host's power, or came of it. */
  powerIssues(issues: readonly Issue[]): void {
    if (this.#closing.signal.aborted) return;
    this.#state('power', issues);
    this.#outbox.pump();
  }

  /** What came of a look for the container engine, whoever asked for it. */
  containerEngineSeen(engine: ContainerEngineReport): void {
    this.#lane.engineSeen(engine);
  }

  /** Resolves when the cards were asked for once, whatever came of it. */
  get cardsAsked(): Promise<void> {
    return this.#lane.cardsAsked;
  }

  /** The newest readings, without asking anybody. */
  readings(): ReporterReadings {
    return { gpus: this.#sampler.gpus, host: this.#sampler.host };
  }

  status(): ReporterStatus {
    return {
      cards: this.#lane.cards,
      areCardsRead: this.#lane.areCardsRead,
      containerEngine: this.#lane.engine,
      interfaces: this.#lane.isDescribed ? this.#lane.interfaces : null,
      issues: this.#ledger.open,
      waitingSamples: this.#outbox.waiting,
      droppedSamples: this.#outbox.dropped,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#tickTimer?.cancel();
    this.#soonTimer?.cancel();
    this.#lane.close();
    await this.#tick;
  }

  #runTick(): void {
    const { clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#tick = this.#sample()
      .catch((error: unknown) => log.error({ err: error }, 'report: a sample failed'))
      .finally(() => {
        this.#tick = null;
        if (this.#closing.signal.aborted) return;
        const cadenceMs = this.#cadenceMs();
        this.#waitMs = cadenceMs;
        const rowAtMs = this.#options.sensors.gpus.lastRowAtMs ?? null;
        const nextMs = nextTickMs({ startedMs, cadenceMs, rowAtMs }) - clock.monotonicMs();
        this.#tickTimer = clock.after(Math.max(0, nextMs), () => this.#runTick());
      });
  }

  async #sample(): Promise<void> {
    // Before the stamp, and only while nothing that was stamped before waits.
    if (this.#outbox.waiting === 0) this.#options.time.followWallClock();
    const sample = await this.#sampler.read(this.#waitMs);
    if (this.#closing.signal.aborted) return;
    this.#outbox.push(sample);
    this.#options.owner?.sampled(this.#sampler.gpus);
    this.#lane.seen(this.#sampler.cards);
    this.#state('host', this.#sampler.hostIssues);
    this.#state('gpu', this.#sampler.gpuIssues);
    this.#state('replicas', this.#options.replicas.issues());
    this.#state('buffer', this.#droppedIssues());
    this.#outbox.pump();
  }

  /** A queue moves fastest; where none has anything in it, nothing is worth a second look each second. */
  #cadenceMs(): number {
    const { gpuCadenceMs, hostCadenceMs, engineCadenceMs, replicas, clock } = this.#options;
    const slow = Math.min(gpuCadenceMs, hostCadenceMs);
    if (replicas.count === 0) return slow;
    const nowMs = clock.monotonicMs();
    if (Object.values(replicas.readings()).some(hasRequests)) this.#busyAtMs = nowMs;
    return nowMs - this.#busyAtMs < BUSY_MS ? Math.min(slow, engineCadenceMs) : slow;
  }

  #tellOwner(): void {
    const { owner } = this.#options;
    if (owner !== undefined) this.#outbox.tell('owner', owner.report());
  }

  #tellOrphans(): void {
    const orphans = this.#options.replicas.orphans();
    const told = JSON.stringify(orphans);
    if (told === this.#orphansTold) return;
    this.#orphansTold = told;
    this.#outbox.tell('orphans', orphans);
  }

  #state(source: string, issues: readonly Issue[]): void {
    if (this.#ledger.state(source, issues)) this.#outbox.tell('issues', [...this.#ledger.open]);
  }

  #droppedIssues(): readonly Issue[] {
    const nowMs = this.#options.clock.monotonicMs();
    const { dropped } = this.#outbox;
    if (dropped > this.#droppedBefore) this.#droppedAtMs = nowMs;
    this.#droppedBefore = dropped;
    return nowMs - this.#droppedAtMs < DROPPED_ISSUE_MS ? [telemetryDropped()] : [];
  }
}

function hasRequests({ running, waiting }: EngineReading): boolean {
  return (running ?? 0) + (waiting ?? 0) > 0;
}

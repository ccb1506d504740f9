import { isDeepStrictEqual } from 'node:util';
import {
  type Clock,
  type ContainerEngineReport,
  DEFAULT_AGENT_POLICY,
  type GpuInventory,
  type HostInventory,
  type HostPolicy,
  type Issue,
  type NetworkInterface,
  type Timer,
} from '@ai-fabric/shared';
import type { HostFacts } from '../sensors/host/host-inventory.js';
import { issuesOf, type Sensor } from '../sensors/sensor.js';

export interface InventoryLaneOptions {
  readonly hostInventory: Sensor<HostFacts>;
  readonly gpuInventory: Sensor<readonly GpuInventory[]>;
  /** `null` where this agent keeps no containers. */
  readonly policy: HostPolicy | null;
  /** Has the container engine looked for; what comes of it is told by `engineSeen`. */
  readonly lookForEngine: () => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after each read, changed or not. */
  readonly onInventory: (inventory: HostInventory) => void;
  readonly onIssues: (issues: readonly Issue[]) => void;
  /** Called after each read of the cards and each look for the engine, changed or not. */
  readonly onSeen: (seen: SeenParts) => void;
}

export interface SeenParts {
  /** How many cards; `null`: they were not asked for yet. */
  readonly cards: number | null;
  /** Whether the container engine answers; `null`: nobody told yet. */
  readonly engine: boolean | null;
}

const INVENTORY_PERIOD_MS = 300_000;
/** Reading what the cards are starts processes and wakes the driver. */
const CARDS_PERIOD_MS = 3_600_000;
/** A card that was not known is looked up soon, though not again and again. */
const NEW_CARD_GAP_MS = 60_000;

/** The slow lane: what this host is. */
export class InventoryLane {
  readonly #options: InventoryLaneOptions;
  #facts: HostFacts | null = null;
  #gpus: readonly GpuInventory[] = [];
  #engine: ContainerEngineReport | null = null;
  #hostIssues: readonly Issue[] = [];
  #cardIssues: readonly Issue[] = [];
  #cardsDueMs = Number.NEGATIVE_INFINITY;
  #cardsReadMs = Number.NEGATIVE_INFINITY;
  #readingCards = false;
  #areCardsRead = false;
  #timer: Timer | null = null;

  /** The cards were asked for once, whatever came of it. */
  readonly cardsAsked: Promise<void>;
  #cardsWereAsked: () => void = () => {};

  constructor(options: InventoryLaneOptions) {
    this.#options = options;
    this.cardsAsked = new Promise((resolve) => {
      this.#cardsWereAsked = resolve;
    });
  }

  start(): void {
    this.#readAll();
    this.#timer = this.#options.clock.every(INVENTORY_PERIOD_MS, () => this.#readAll());
  }

  close(): void {
    this.#timer?.cancel();
  }

  get cards(): readonly GpuInventory[] {
    return this.#gpus;
  }

  /** As they were read last. */
  get interfaces(): readonly NetworkInterface[] {
    return this.#facts?.interfaces ?? [];
  }

  /** The host was described once. */
  get isDescribed(): boolean {
    return this.#facts !== null;
  }

  /** The cards were asked for once, whatever came of it. */
  get areCardsRead(): boolean {
    return this.#areCardsRead;
  }

  /** As it was found last; `null`: nobody told yet. */
  get engine(): ContainerEngineReport | null {
    return this.#engine;
  }

  /** These cards have readings. One that the inventory does not know was added, or the inventory failed before. */
  seen(uuids: readonly string[]): void {
    const isNew = uuids.some((uuid) => !this.#gpus.some((card) => card.uuid === uuid));
    if (!isNew || this.#options.clock.monotonicMs() - this.#cardsReadMs < NEW_CARD_GAP_MS) return;
    void this.#readCards();
  }

  /** Also between two inventories: it went away, came back or was upgraded. */
  engineSeen(engine: ContainerEngineReport): void {
    if (this.#options.signal.aborted || isDeepStrictEqual(engine, this.#engine)) return;
    this.#engine = engine;
    this.#tell();
  }

  #readAll(): void {
    void this.#readFacts();
    this.#readCardsIfDue();
    this.#options.lookForEngine();
  }

  async #readFacts(): Promise<void> {
    const { hostInventory, signal } = this.#options;
    const result = await hostInventory.read(signal);
    if (signal.aborted) return;
    this.#hostIssues = issuesOf(result);
    if (result.ok) this.#facts = result.reading;
    this.#tell();
  }

  #readCardsIfDue(): void {
    if (this.#options.clock.monotonicMs() >= this.#cardsDueMs) void this.#readCards();
  }

  async #readCards(): Promise<void> {
    if (this.#readingCards) return;
    const { gpuInventory, signal, clock } = this.#options;
    this.#readingCards = true;
    this.#cardsReadMs = clock.monotonicMs();
    const result = await gpuInventory.read(signal);
    this.#readingCards = false;
    this.#areCardsRead = true;
    this.#cardsWereAsked();
    if (signal.aborted) return;
    this.#cardIssues = issuesOf(result);
    if (result.ok) this.#gpus = result.reading;
    // A host without a card is as it should be; any other failure is tried again with the next inventory.
    const isSettled = result.ok || result.issue.code === 'no_gpu';
    this.#cardsDueMs = this.#cardsReadMs + (isSettled ? CARDS_PERIOD_MS : INVENTORY_PERIOD_MS);
    this.#tell();
  }

  #tell(): void {
    this.#options.onIssues([...this.#hostIssues, ...this.#cardIssues]);
    this.#options.onSeen({
      cards: this.#areCardsRead ? this.#gpus.length : null,
      engine: this.#engine?.reachable ?? null,
    });
    if (this.#facts === null) return;
    const { policy, onInventory } = this.#options;
    const { power, ...facts } = this.#facts;
    const allowed: readonly string[] = policy?.power ?? DEFAULT_AGENT_POLICY.power;
    onInventory({
      ...facts,
      ...(power === undefined
        ? {}
        : { power: { ...power, verbs: power.verbs.filter((verb) => allowed.includes(verb)) } }),
      gpus: [...this.#gpus],
      ...(policy === null ? {} : { policy }),
      ...(this.#engine === null ? {} : { containerEngine: this.#engine }),
    });
  }
}

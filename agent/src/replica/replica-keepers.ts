import { isDeepStrictEqual } from 'node:util';
import type {
  Clock,
  CommandOf,
  DesiredReplica,
  EngineReading,
  Issue,
  Orphan,
  ReplicaStatus,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { LogLine, LogOptions } from '../containers/container-engine.js';
import type { KeptTools } from './container/kept-tools.js';
import { combineHolds, type Hold, type HoldReason, type HoldTerms } from './decide/combine-holds.js';
import { type EngineAddress, engineUrl } from './engine-address.js';
import { HoldDownError } from './hold-down-error.js';
import { type KeeperOptions, openReplicaKeeper, type ReplicaKeeper } from './replica-keeper.js';

export interface ReplicaKeepersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly cadenceMs: number;
  /** Called when a status, an issue or a queue changed. */
  readonly onChange: () => void;
  /** What keeps containers; without, this host keeps none. */
  readonly containers?: KeptTools;
  readonly open?: (options: KeeperOptions) => ReplicaKeeper;
}

interface Kept {
  readonly desired: DesiredReplica;
  readonly keeper: ReplicaKeeper;
}

/** Beyond the time that open requests have: vLLM takes up to two minutes to fall asleep. */
const FREEING_MS = 150_000;

/** All replicas of this host. */
export class ReplicaKeepers {
  readonly #options: ReplicaKeepersOptions;
  readonly #open: (options: KeeperOptions) => ReplicaKeeper;
  readonly #kept = new Map<string, Kept>();
  /** Of deployments that are gone, until nothing of them is left. */
  readonly #retiring = new Map<string, ReplicaKeeper>();
  readonly #closing = new Set<Promise<void>>();
  readonly #holds = new Map<HoldReason, HoldTerms & { readonly released: AbortController }>();
  #closed = false;
  #wished = false;

  constructor(options: ReplicaKeepersOptions) {
    this.#options = options;
    this.#open = options.open ?? openReplicaKeeper;
  }

  /**
   * Makes what is kept into what is desired. A replica that is desired as before is not touched. Commands come in
   * their order on a link, and the last one is the truth: also when its revision is lower, as after a restored backup.
   */
  applyDesired({ replicas }: CommandOf<'apply_desired'>): void {
    if (this.#closed) return;
    const wanted = new Map(replicas.map((desired) => [desired.deployment, desired]));
    // The first wish is told of even if it is empty: until then nothing was said of replicas.
    let changed = !this.#wished;
    this.#wished = true;
    for (const [deployment, { desired, keeper }] of [...this.#kept]) {
      const after = wanted.get(deployment);
      if (isDeepStrictEqual(after, desired)) continue;
      changed = true;
      if (after !== undefined && keeper.change(after)) this.#kept.set(deployment, { desired: after, keeper });
      else this.#retire(deployment, keeper);
    }
    for (const desired of wanted.values()) {
      if (this.#kept.has(desired.deployment)) continue;
      this.#kept.set(desired.deployment, {
        desired,
        keeper: this.#takeBack(desired) ?? this.#start(desired),
      });
      changed = true;
    }
    this.#declare();
    if (changed) this.#options.onChange();
  }

  /**
   * Drains all replicas and frees their cards, and keeps it so whatever is declared. Several reasons may hold them at
   * once; the same one again changes its terms. No new request is let in from now on.
   *
   * @returns when the cards are free
   * @throws HoldDownError `released` by then, or `not_free` within `drainSeconds` and 150 s more: it holds on all the same
   */
  async holdDown(reason: HoldReason, { action, drainSeconds }: HoldTerms): Promise<void> {
    const released = this.#holds.get(reason)?.released ?? new AbortController();
    this.#holds.set(reason, { action, drainSeconds, released });
    const left = new Set<string>();
    const freed = this.#everyKeeper().map(async ([deployment, keeper]) => {
      left.add(deployment);
      await keeper.hold(this.#hold());
      left.delete(deployment);
    });
    const whole = Promise.all(freed);
    await this.#within(whole, drainSeconds * 1_000 + FREEING_MS, released.signal);
    if (released.signal.aborted) throw new HoldDownError('released', []);
    if (left.size > 0) throw new HoldDownError('not_free', [...left]);
  }

  /** What nobody else holds becomes what is declared again. */
  release(reason: HoldReason): void {
    const held = this.#holds.get(reason);
    if (held === undefined) return;
    this.#holds.delete(reason);
    held.released.abort();
    const hold = this.#hold();
    for (const [, keeper] of this.#everyKeeper()) void keeper.hold(hold);
  }

  /** The machine slept: what was proven of the cards is to be proven again before a request is let in. */
  doubt(): void {
    for (const [, keeper] of this.#everyKeeper()) keeper.doubt();
  }

  /** Where a request goes that came through the tunnel; `null`: nowhere. */
  engineAddress(deployment: string): EngineAddress | null {
    return this.#kept.get(deployment)?.keeper.engineAddress() ?? null;
  }

  /** What a deployment's engine says; `null` where that is not to be had here. */
  logs(deployment: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> | null {
    return this.#kept.get(deployment)?.keeper.logs(options, signal) ?? null;
  }

  /** Containers that this agent made and that nothing declares. */
  orphans(): Orphan[] {
    return [...(this.#options.containers?.census.orphans() ?? [])];
  }

  /** @returns what went wrong, in words; `null` where this host keeps no containers */
  async removeOrphans(containerIds: readonly string[]): Promise<readonly string[] | null> {
    return (await this.#options.containers?.census.removeOrphans(containerIds)) ?? null;
  }

  /** Whether it was said what is to be kept here. */
  get isWished(): boolean {
    return this.#wished;
  }

  /** Deployments that are gone, and of which something is left. */
  get retiring(): readonly string[] {
    return [...this.#retiring.keys()];
  }

  get count(): number {
    return this.#kept.size;
  }

  desired(): DesiredReplica[] {
    return [...this.#kept.values()].map(({ desired }) => desired);
  }

  /** Where engines listen: those of somebody else as declared, ours while a request may be let in. */
  engines(): { readonly deployment: string; readonly url: string }[] {
    return [...this.#kept.values()].flatMap(({ desired, keeper }) => {
      const { deployment } = desired;
      if (desired.engine === 'external') return [{ deployment, url: desired.url }];
      const address = keeper.engineAddress();
      return address === null ? [] : [{ deployment, url: engineUrl(address) }];
    });
  }

  statuses(): ReplicaStatus[] {
    return this.#map((keeper) => keeper.status());
  }

  issues(): Issue[] {
    return this.#map((keeper) => keeper.issues()).flat();
  }

  /** By deployment; one without a reading that is still true is not in it. */
  readings(): Record<string, EngineReading> {
    const readings: Record<string, EngineReading> = {};
    for (const [deployment, { keeper }] of this.#kept) {
      const reading = keeper.reading();
      if (reading !== null) readings[deployment] = reading;
    }
    return readings;
  }

  /** Asks all engines for new readings. Waits for the slow ones no longer than `waitMs`. */
  async refreshReadings(waitMs: number): Promise<void> {
    if (this.#kept.size === 0) return;
    await this.#within(Promise.all(this.#map((keeper) => keeper.refreshReading())), waitMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const keepers = [...this.#retiring.values(), ...[...this.#kept.values()].map(({ keeper }) => keeper)];
    this.#kept.clear();
    await Promise.all(keepers.map((keeper) => keeper.close()));
    await Promise.all(this.#closing);
  }

  #start(desired: DesiredReplica): ReplicaKeeper {
    const { clock, log, cadenceMs, onChange, containers = null } = this.#options;
    return this.#open({ desired, hold: this.#hold(), clock, log, cadenceMs, onChange, containers });
  }

  #hold(): Hold | null {
    return combineHolds(this.#holds);
  }

  #everyKeeper(): [deployment: string, keeper: ReplicaKeeper][] {
    const kept = [...this.#kept].map(([deployment, { keeper }]) => [deployment, keeper] as const);
    return [...kept, ...this.#retiring].map(([deployment, keeper]) => [deployment, keeper]);
  }

  /** Until it is done, no longer than `waitMs`, and no longer than the signal lets it. */
  async #within(done: Promise<unknown>, waitMs: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.#options.clock.after(waitMs, finish);
      signal?.addEventListener('abort', finish, { once: true });
      void done.then(finish);
    });
  }

  /** A deployment that came back before its end keeps its container. */
  #takeBack(desired: DesiredReplica): ReplicaKeeper | null {
    const keeper = this.#retiring.get(desired.deployment);
    if (!keeper?.change(desired)) return null;
    this.#retiring.delete(desired.deployment);
    return keeper;
  }

  #retire(deployment: string, keeper: ReplicaKeeper): void {
    this.#kept.delete(deployment);
    this.#retiring.set(deployment, keeper);
    const closing = keeper.retire().finally(() => {
      this.#closing.delete(closing);
      if (this.#retiring.get(deployment) === keeper) this.#retiring.delete(deployment);
      if (!this.#closed) this.#declare();
    });
    this.#closing.add(closing);
  }

  /** What is being removed is no orphan. */
  #declare(): void {
    const { containers } = this.#options;
    containers?.census.declare(new Set([...this.#kept.keys(), ...this.#retiring.keys()]));
  }

  #map<Value>(read: (keeper: ReplicaKeeper) => Value): Value[] {
    return [...this.#kept.values()].map(({ keeper }) => read(keeper));
  }
}

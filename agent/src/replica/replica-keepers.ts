import { isDeepStrictEqual } from 'node:util';
import type {
  Clock,
  CommandOf,
  DesiredReplica,
  EngineReading,
  Issue,
  ReplicaStatus,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { EngineAddress } from './engine-address.js';
import { type KeeperOptions, openReplicaKeeper, type ReplicaKeeper } from './replica-keeper.js';

export interface ReplicaKeepersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly cadenceMs: number;
  /** Called when a status, an issue or a queue changed. */
  readonly onChange: () => void;
  readonly open?: (options: KeeperOptions) => ReplicaKeeper;
}

interface Kept {
  readonly desired: DesiredReplica;
  readonly keeper: ReplicaKeeper;
}

/** All replicas of this host. */
export class ReplicaKeepers {
  readonly #options: ReplicaKeepersOptions;
  readonly #open: (options: KeeperOptions) => ReplicaKeeper;
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new Set<Promise<void>>();
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
    for (const [deployment, { desired }] of [...this.#kept]) {
      if (isDeepStrictEqual(wanted.get(deployment), desired)) continue;
      this.#drop(deployment);
      changed = true;
    }
    for (const desired of wanted.values()) {
      if (this.#kept.has(desired.deployment)) continue;
      const { clock, log, cadenceMs, onChange } = this.#options;
      this.#kept.set(desired.deployment, {
        desired,
        keeper: this.#open({ desired, clock, log, cadenceMs, onChange }),
      });
      changed = true;
    }
    if (changed) this.#options.onChange();
  }

  /** Where a request goes that came through the tunnel; `null`: nowhere. */
  engineAddress(deployment: string): EngineAddress | null {
    return this.#kept.get(deployment)?.keeper.engineAddress() ?? null;
  }

  get count(): number {
    return this.#kept.size;
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
    const all = Promise.all(this.#map((keeper) => keeper.refreshReading()));
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(waitMs, resolve);
      void all.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const deployment of [...this.#kept.keys()]) this.#drop(deployment);
    await Promise.all(this.#closing);
  }

  #drop(deployment: string): void {
    const kept = this.#kept.get(deployment);
    if (!kept) return;
    this.#kept.delete(deployment);
    const closing = kept.keeper.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #map<Value>(read: (keeper: ReplicaKeeper) => Value): Value[] {
    return [...this.#kept.values()].map(({ keeper }) => read(keeper));
  }
}

import type { Clock, TelemetrySample, Timer } from '@ai-fabric/shared';
import type { LiveChange } from '../live/live-view.js';
import type { PowerStore } from '../registry/power-types.js';
import { joulesBetween, NO_USE, type PowerReading, type PowerUse } from './decide/reckon-energy.js';
import type { FleetLive, FleetUse } from './fleet-parts.js';
import type { PowerMemory } from './power-memory.js';

export interface PowerMeterParts {
  readonly live: FleetLive;
  readonly store: Pick<PowerStore, 'save'>;
  readonly memory: Pick<PowerMemory, 'of' | 'draws'>;
  /** What requests do on each host. */
  readonly use: FleetUse;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 5_000;
const WRITE_EVERY_MS = 60_000;
/** A look that comes later than this says nothing of the time before it: this machine slept itself. */
const LONGEST_LOOK_MS = 60_000;
/** One reading changes by so much of it what the cards are known to draw while they serve. */
const SERVING_SHARE = 0.1;
/** It is kept where it is another by so much. */
const TELLING_WATTS = 1;
const DAY_MS = 24 * 3_600_000;

interface Gathered extends PowerUse {
  readonly hostId: string;
}

/** Adds up how long hosts are awake and asleep, and what their cards draw; hands it to the registry once a minute. */
export class PowerMeter {
  readonly #parts: PowerMeterParts;
  readonly #gathered = new Map<string, Gathered>();
  readonly #readings = new Map<string, PowerReading>();
  readonly #servingWatts = new Map<string, number>();
  readonly #timers: readonly Timer[];
  readonly #unfollow: () => void;
  #lookedMs: number;

  constructor(parts: PowerMeterParts) {
    this.#parts = parts;
    const { clock, live } = parts;
    this.#lookedMs = clock.monotonicMs();
    this.#unfollow = live.onChange((change) => this.#follow(change));
    this.#timers = [
      clock.every(LOOK_EVERY_MS, () => this.#look()),
      clock.every(WRITE_EVERY_MS, () => this.#write()),
    ];
  }

  close(): void {
    this.#unfollow();
    for (const timer of this.#timers) timer.cancel();
    this.#look();
    this.#write();
  }

  /** What the cards of a host draw while requests run on it, over the last of them; `null`: that was not seen yet. */
  servingWatts(host: string): number | null {
    const { live, memory } = this.#parts;
    return this.#servingWatts.get(host) ?? memory.of(live.host(host)?.hostId ?? null).servingWatts;
  }

  #follow(change: LiveChange): void {
    if (change.kind === 'hostRemoved') {
      this.#servingWatts.delete(change.name);
      this.#gathered.delete(change.name);
      this.#readings.delete(change.name);
    }
    if (change.kind !== 'sample' || change.backfilled) return;
    const { host, sample } = change;
    const reading = { atMs: sample.atMs, cardWatts: cardWatts(sample) };
    const before = this.#readings.get(host);
    this.#readings.set(host, reading);
    this.#learn(host, reading.cardWatts);
    if (before !== undefined) this.#add(host, { ...NO_USE, cardJoules: joulesBetween(before, reading) });
  }

  #learn(host: string, watts: number | null): void {
    if (watts === null || this.#parts.use.useOf(host).inflight === 0) return;
    const before = this.servingWatts(host) ?? watts;
    this.#servingWatts.set(host, before + (watts - before) * SERVING_SHARE);
  }

  /** Where a host is between two looks, it is taken to have been all the while. */
  #look(): void {
    const { live, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const forMs = nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    if (forMs <= 0 || forMs > LONGEST_LOOK_MS) return;
    for (const { name, presence, power } of live.hosts()) {
      // One whose engines are parked is on.
      if (presence === 'online' || presence === 'late')
        this.#add(name, { ...NO_USE, awakeSeconds: forMs / 1000 });
      else if (power.state === 'asleep') this.#add(name, { ...NO_USE, asleepSeconds: forMs / 1000 });
    }
  }

  #add(host: string, use: PowerUse): void {
    const hostId = this.#parts.live.host(host)?.hostId ?? null;
    if (hostId === null) return;
    const before = this.#gathered.get(host);
    const sum = before?.hostId === hostId ? before : NO_USE;
    this.#gathered.set(host, {
      hostId,
      awakeSeconds: sum.awakeSeconds + use.awakeSeconds,
      asleepSeconds: sum.asleepSeconds + use.asleepSeconds,
      cardJoules: sum.cardJoules + use.cardJoules,
    });
  }

  #write(): void {
    const { store, clock } = this.#parts;
    const atMs = clock.nowMs();
    const dayMs = Math.floor(atMs / DAY_MS) * DAY_MS;
    for (const use of this.#gathered.values()) store.save({ kind: 'powerUse', atMs, dayMs, ...use });
    this.#gathered.clear();
    this.#keepWatts();
  }

  #keepWatts(): void {
    const { live, memory } = this.#parts;
    for (const [host, watts] of this.#servingWatts) {
      const hostId = live.host(host)?.hostId ?? null;
      const kept = memory.of(hostId).servingWatts;
      if (hostId === null || (kept !== null && Math.abs(kept - watts) < TELLING_WATTS)) continue;
      memory.draws(hostId, watts);
    }
  }
}

/** Once per report of every host. @returns `null`: none of its cards tells */
function cardWatts({ gpus }: TelemetrySample): number | null {
  let sum: number | null = null;
  for (const card in gpus) sum = gpus[card]?.powerWatts == null ? sum : (sum ?? 0) + gpus[card].powerWatts;
  return sum;
}

import type { Clock } from '@ai-fabric/shared';
import type { WakePhase } from '../live/host-power.js';
import type { HostPowerRecord, LoadRecord, PowerStore, WakeRecord } from '../registry/power-types.js';
import type { FromState } from './decide/judge-power-state.js';
import { WAKE_PHASES } from './decide/step-flight.js';
import { type PastWake, type UsualTimes, usualTimes } from './decide/usual-times.js';

/** Successful wakes that say what is usual. */
const USUAL_OF = 20;
const READY = 'model_ready:';
const PARKED = 'parked';

/** What is remembered of one host. */
export interface HostMemory {
  /** By what the fabric put it to sleep, while it has not come back; `null`: it was not the fabric. */
  readonly sleptBy: Exclude<FromState, 'unknown'> | null;
  /** Its engines were parked, and nobody has asked for them since. */
  readonly isParked: boolean;
  /** Who had it put to sleep, or what; `null`: it was not the fabric, or not this process of it. */
  readonly sleptFor: string | null;
  readonly wokenAtMs: number | null;
  /** Wall clock; `null`: nobody keeps it awake. What is past is no lease. */
  readonly keepAwakeUntilMs: number | null;
  /** What its cards draw while requests run on it; `null`: that was not seen yet. */
  readonly servingWatts: number | null;
  readonly proven: ReadonlySet<FromState>;
  /** Its last wake failed then, wall clock; `null`: it did not. */
  readonly lastFailure: { readonly atMs: number; readonly why: string } | null;
  readonly usual: UsualTimes;
  /** Of wakes from parked engines on a machine that was on. */
  readonly usualUnpark: UsualTimes;
}

interface Entry {
  power: HostPowerRecord;
  sleptFor: string | null;
  proven: Set<FromState>;
  lastFailure: HostMemory['lastFailure'];
  wakes: PastWake[];
  unparks: PastWake[];
  usual: UsualTimes;
  usualUnpark: UsualTimes;
  /** By deployment. */
  readonly loads: Map<string, LoadRecord>;
}

const NOTHING: HostPowerRecord = {
  lastSleptBy: null,
  lastSleptAtMs: null,
  sleptByFabric: false,
  wokenAtMs: null,
  keepAwakeUntilMs: null,
  keepAwakeReason: null,
  servingWatts: null,
};
/** How a host sleeps whose engines are parked. */
const CARDS_ALONE = 'container-only';
const NO_TIMES = usualTimes([]);

const UNKNOWN_HOST: HostMemory = {
  ...{ sleptBy: null, isParked: false, sleptFor: null, wokenAtMs: null, keepAwakeUntilMs: null },
  servingWatts: null,
  ...{ proven: new Set(), lastFailure: null, usual: NO_TIMES, usualUnpark: NO_TIMES },
};

/** What outlives a restart of hosts' sleeps and wakes, in memory; what changes is handed to the registry's writer. */
export class PowerMemory {
  readonly #store: PowerStore;
  readonly #clock: Clock;
  readonly #hosts = new Map<string, Entry>();

  /** @throws {RegistryError} */
  constructor(store: PowerStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const records = store.load(clock.nowMs());
    for (const { hostId, ...power } of records.hosts) this.#entry(hostId).power = { ...NOTHING, ...power };
    for (const { hostId, fromState } of records.proofs)
      this.#entry(hostId).proven.add(readFromState(fromState));
    for (const { hostId, deployment, ...record } of records.loads)
      this.#entry(hostId).loads.set(deployment, record);
    for (const wake of records.wakes.toReversed()) this.#learn(this.#entry(wake.hostId), wake);
  }

  of(hostId: string | null): HostMemory {
    const entry = hostId === null ? undefined : this.#hosts.get(hostId);
    if (entry === undefined) return UNKNOWN_HOST;
    const { power, sleptFor, proven, lastFailure, usual, usualUnpark } = entry;
    const { wokenAtMs, keepAwakeUntilMs, servingWatts, sleptByFabric, lastSleptBy } = power;
    const by = sleptByFabric && lastSleptBy !== null ? readFromState(lastSleptBy) : null;
    const isParked = sleptByFabric && lastSleptBy === CARDS_ALONE;
    return {
      ...{ isParked, wokenAtMs, keepAwakeUntilMs, servingWatts, proven, lastFailure, usual, usualUnpark },
      sleptBy: by === 'unknown' ? null : by,
      sleptFor: sleptByFabric ? sleptFor : null,
    };
  }

  /** The fabric put it to sleep. @param sleptFor who asked for that, or what */
  slept(hostId: string, by: Exclude<FromState, 'unknown'> | typeof CARDS_ALONE, sleptFor: string): void {
    this.#put(hostId, { lastSleptBy: by, lastSleptAtMs: this.#clock.nowMs(), sleptByFabric: true });
    this.#entry(hostId).sleptFor = sleptFor;
  }

  /** It is back, however it came; what is parked was never away. */
  awake(hostId: string): void {
    if (this.of(hostId).isParked) return;
    if (this.#hosts.get(hostId)?.power.sleptByFabric) this.#put(hostId, { sleptByFabric: false });
  }

  /** Its engines may run again. */
  unparked(hostId: string): void {
    if (this.of(hostId).isParked) this.#put(hostId, { sleptByFabric: false });
  }

  /** @param untilMs wall clock; `null`: no longer */
  keepAwake(hostId: string, untilMs: number | null, reason: string | null): void {
    this.#put(hostId, { keepAwakeUntilMs: untilMs, keepAwakeReason: untilMs === null ? null : reason });
  }

  /** Its cards draw so much while requests run on it. */
  draws(hostId: string, servingWatts: number): void {
    this.#put(hostId, { servingWatts });
  }

  /** @returns `null`: nothing is known of its starts */
  loadOf(hostId: string, deployment: string): LoadRecord | null {
    return this.#hosts.get(hostId)?.loads.get(deployment) ?? null;
  }

  loads(hostId: string, deployment: string, record: LoadRecord): void {
    this.#entry(hostId).loads.set(deployment, record);
    this.#store.save({ kind: 'loadTimes', hostId, atMs: this.#clock.nowMs(), deployment, record });
  }

  /** A wake of ours brought it back. */
  woken(hostId: string): void {
    this.#put(hostId, { wokenAtMs: this.#clock.nowMs(), sleptByFabric: false });
  }

  /** @param isAttended somebody may have helped it come back */
  wake(hostId: string, wake: WakeRecord, isAttended = false): void {
    this.#store.save({ kind: 'wake', hostId, atMs: this.#clock.nowMs(), wake });
    if (wake.outcome === null) return;
    const entry = this.#entry(hostId);
    this.#learn(entry, wake);
    if (wake.fromState === PARKED) return;
    const from = readFromState(wake.fromState);
    if (isAttended || !proves(wake, from) || entry.proven.has(from)) return;
    entry.proven.add(from);
    this.#store.save({
      kind: 'wakeProof',
      hostId,
      atMs: this.#clock.nowMs(),
      fromState: from,
      wakeId: wake.wakeId,
    });
  }

  event(hostId: string, state: string, cause: string | null, detail: string | null): void {
    this.#store.save({ kind: 'powerEvent', hostId, atMs: this.#clock.nowMs(), state, cause, detail });
  }

  #put(hostId: string, change: Partial<HostPowerRecord>): void {
    const entry = this.#entry(hostId);
    entry.power = { ...entry.power, ...change };
    this.#store.save({ kind: 'hostPower', hostId, atMs: this.#clock.nowMs(), power: entry.power });
  }

  #learn(entry: Entry, { outcome, phases, fromState, endedAtMs, askedAtMs, detail }: WakeRecord): void {
    if (outcome === 'ready') entry.lastFailure = null;
    if (outcome === 'failed') {
      entry.lastFailure = { atMs: endedAtMs ?? askedAtMs, why: detail ?? 'its last wake failed' };
    }
    if (outcome !== 'ready') return;
    if (fromState === PARKED) {
      entry.unparks = [...entry.unparks, readWake(phases)].slice(-USUAL_OF);
      entry.usualUnpark = usualTimes(entry.unparks);
      return;
    }
    entry.wakes = [...entry.wakes, readWake(phases)].slice(-USUAL_OF);
    entry.usual = usualTimes(entry.wakes);
  }

  #entry(hostId: string): Entry {
    let entry = this.#hosts.get(hostId);
    if (entry === undefined) {
      entry = {
        ...{ power: NOTHING, sleptFor: null, proven: new Set(), lastFailure: null, wakes: [], unparks: [] },
        ...{ usual: NO_TIMES, usualUnpark: NO_TIMES, loads: new Map() },
      };
      this.#hosts.set(hostId, entry);
    }
    return entry;
  }
}

/** After power-off somebody may have stood before it and signed in: only a rehearsal shows that nobody has to. */
function proves({ outcome, askedBy, phases }: WakeRecord, from: FromState): boolean {
  const reachedToken = outcome === 'ready' && phases['model_ready'] !== undefined;
  return reachedToken && (from !== 'poweroff' || askedBy === 'rehearsal');
}

function readWake(times: WakeRecord['phases']): PastWake {
  const phases: Partial<Record<WakePhase, number>> = {};
  for (const phase of WAKE_PHASES) {
    const atMs = times[phase];
    if (atMs !== undefined) phases[phase] = atMs;
  }
  const ready = Object.entries(times).filter(([name]) => name.startsWith(READY));
  return {
    phases,
    readyAt: Object.fromEntries(ready.map(([name, atMs]) => [name.slice(READY.length), atMs])),
  };
}

function readFromState(text: string): FromState {
  return text === 'suspend' || text === 'hibernate' || text === 'poweroff' ? text : 'unknown';
}

/** What is kept of hosts' power, as it is written and read. Times are milliseconds since 1970 on this server's clock. */

export const WAKE_ASKERS = ['request', 'operator', 'rehearsal'] as const;
export type WakeAsker = (typeof WAKE_ASKERS)[number];

export const WAKE_OUTCOMES = ['ready', 'failed', 'cancelled'] as const;
export type WakeOutcome = (typeof WAKE_OUTCOMES)[number];

/** One flight. */
export interface WakeRecord {
  readonly wakeId: string;
  readonly askedAtMs: number;
  readonly askedBy: WakeAsker;
  readonly keyId: string | null;
  readonly role: string | null;
  readonly deployment: string | null;
  /** suspend, hibernate, poweroff, unknown. */
  readonly fromState: string;
  /** `null`: under way. */
  readonly outcome: WakeOutcome | null;
  readonly failedPhase: string | null;
  readonly detail: string | null;
  /** Phase → milliseconds since it was asked for; `model_ready:NAME` of each deployment, `fetched:NAME` of one whose weights were fetched first. */
  readonly phases: Readonly<Record<string, number>>;
  readonly endedAtMs: number | null;
  readonly waiters: number;
}

export interface HostPowerRecord {
  readonly lastSleptBy: string | null;
  readonly lastSleptAtMs: number | null;
  readonly sleptByFabric: boolean;
  readonly wokenAtMs: number | null;
  /** An operator wants it awake until then. */
  readonly keepAwakeUntilMs: number | null;
  readonly keepAwakeReason: string | null;
  /** What its cards draw while requests run on it; `null`: that was not seen yet. */
  readonly servingWatts: number | null;
}

/** How long an engine takes from its start until it is ready. */
export interface LoadRecord {
  /** Of its last starts that were seen, the latest last. */
  readonly seconds: readonly number[];
  /** As its agent usually sees the loading alone; `null`: it has not told. */
  readonly toldSeconds: number | null;
}

interface OfHost {
  readonly hostId: string;
  readonly atMs: number;
}

/** What the fleet tells the background writer. The latest of each counts, events apart. */
export type PowerObservation =
  | (OfHost & { readonly kind: 'wake'; readonly wake: WakeRecord })
  | (OfHost & { readonly kind: 'wakeProof'; readonly fromState: string; readonly wakeId: string })
  | (OfHost & { readonly kind: 'hostPower'; readonly power: HostPowerRecord })
  | (OfHost & { readonly kind: 'loadTimes'; readonly deployment: string; readonly record: LoadRecord })
  | PowerEventObservation
  | PowerUseObservation;

/** From one power state to the next. */
export type PowerEventObservation = OfHost & {
  readonly kind: 'powerEvent';
  readonly state: string;
  readonly cause: string | null;
  readonly detail: string | null;
};

/** What a host did since the last of these: it is added to its day. */
export type PowerUseObservation = OfHost & {
  readonly kind: 'powerUse';
  /** Midnight, UTC. */
  readonly dayMs: number;
  readonly awakeSeconds: number;
  readonly asleepSeconds: number;
  /** Of its cards, as they told: watt-seconds. */
  readonly cardJoules: number;
};

/** Read once, at the start. */
export interface PowerRecords {
  readonly hosts: readonly (HostPowerRecord & { readonly hostId: string })[];
  readonly proofs: readonly { readonly hostId: string; readonly fromState: string }[];
  readonly loads: readonly (LoadRecord & { readonly hostId: string; readonly deployment: string })[];
  /** The latest first, bounded for each host. */
  readonly wakes: readonly (WakeRecord & { readonly hostId: string })[];
}

export interface PowerStore {
  /** Wakes that an earlier process left under way are ended by it. @throws {RegistryError} */
  load(nowMs: number): PowerRecords;
  /** Never blocks, never throws. */
  save(observation: PowerObservation): void;
}

/** Newest first. `after`: where the page before ended. */
export interface WakePageQuery {
  readonly host: string | null;
  readonly limit: number;
  readonly after: { readonly askedAtMs: number; readonly wakeId: string } | null;
}

export type ListedWake = WakeRecord & { readonly host: string };

export interface PowerQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** Newest first, of each. */
  readonly mostWakes: number;
  readonly mostEvents: number;
}

/** What a host did in the days of a query. */
export interface HostPowerUse {
  readonly host: string;
  readonly awakeSeconds: number;
  readonly asleepSeconds: number;
  readonly cardJoules: number;
}

/** A wake, and what came of it until the host was away again. */
export interface WakeStretch {
  readonly wake: ListedWake;
  /** `null`: it is awake still, or that is not known. */
  readonly awakeUntilMs: number | null;
  /** What its requests took; `null`: too many to count. */
  readonly requests: {
    readonly count: number;
    readonly promptTokens: number;
    readonly completionTokens: number;
  } | null;
}

export interface HostPowerEvent {
  readonly host: string;
  readonly atMs: number;
  readonly state: string;
  readonly cause: string | null;
  readonly detail: string | null;
}

export interface PowerHistory {
  readonly use: readonly HostPowerUse[];
  readonly wakes: readonly WakeStretch[];
  readonly events: readonly HostPowerEvent[];
}

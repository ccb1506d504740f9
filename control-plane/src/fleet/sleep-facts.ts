import { type Clock, type OwnerReport, POWER_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { DeclaredHost, DeclaredSource } from '../declared/declared-state.js';
import type { LinkServer } from '../link/link-server.js';
import type { LiveHost } from '../live/live-view.js';
import { currentStretch, type OffsetAt } from './decide/hours.js';
import type { SleepAction, SleepInput } from './decide/plan-sleep.js';
import { fetchingOn } from './fetching-on.js';
import type { FleetLive, FleetUse } from './fleet-parts.js';
import type { PowerMemory } from './power-memory.js';
import { zoneOffset } from './zone-offset.js';

export interface SleepFactsParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly memory: PowerMemory;
  readonly link: Pick<LinkServer, 'protocolVersion'>;
  readonly use: FleetUse;
  readonly clock: Clock;
  readonly isWaking: (host: string) => boolean;
  readonly isGoing: (host: string) => boolean;
  /** Monotonic. */
  readonly upSinceMs: (host: string) => number;
  readonly restUntilMs: (host: string) => number;
  readonly isOwn: (host: LiveHost) => boolean;
  readonly lastRelayOf: (host: string) => readonly string[];
}

/** `action`: `null` as declared. */
export type AskedSleep = Pick<SleepInput, 'asker' | 'isForced'> & { readonly action: SleepAction | null };

const MINUTE_MS = 60_000;
const HOURS_HOLD_MS = 30_000;

/** All that speaks for and against a host's sleep, as it is now. */
export class SleepFacts {
  readonly #parts: SleepFactsParts;
  readonly #offsets = new Map<string | null, OffsetAt>();
  readonly #awakeHours = new WeakMap<DeclaredHost, { atMs: number; untilMs: number | null }>();

  constructor(parts: SleepFactsParts) {
    this.#parts = parts;
  }

  of(host: LiveHost, { asker, isForced, action }: AskedSleep): SleepInput {
    const { declared, memory, link, use, clock, isWaking, isGoing } = this.#parts;
    const { name, hostId, presence, inventory } = host;
    const said = declared.current().hosts.get(name);
    const known = memory.of(hostId);
    const nowMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    const { inflight, counted, lastMs, queued } = use.useOf(name);
    const wanted = action ?? said?.sleep.action ?? 'none';
    const idleSinceMs = Math.max(lastMs ?? 0, this.#parts.upSinceMs(name));
    const minimumUpMs = (said?.wake.minimumUpMinutes ?? 0) * MINUTE_MS;
    const version = link.protocolVersion(name);
    const afterIdle = said?.sleep.afterIdleMinutes ?? null;
    return {
      ...{ host: name, asker, isForced, action: wanted, isParked: known.isParked },
      afterIdleMs: afterIdle === null ? null : afterIdle * MINUTE_MS,
      isOwnHost: this.#parts.isOwn(host),
      isLinked: version !== null && presence === 'online',
      knowsPower: (version ?? 0) >= POWER_PROTOCOL_VERSION,
      isWaking: isWaking(name),
      isGoingToSleep: isGoing(name),
      verbs: inventory?.power?.verbs ?? null,
      isWindows: inventory?.os === 'windows',
      isWakeProven: wanted !== 'none' && wanted !== 'container-only' && known.proven.has(wanted),
      requestsInFlight: asker === 'idle' ? counted : inflight,
      requestsQueued: queued,
      idleForMs: counted > 0 ? null : monotonicMs - idleSinceMs,
      keepAwakeForMs: Math.max(0, (known.keepAwakeUntilMs ?? 0) - nowMs),
      awakeHoursEndInMs: said === undefined ? null : this.#awakeForMs(said, nowMs),
      minimumUpForMs: known.wokenAtMs === null ? 0 : restOf(known.wokenAtMs, minimumUpMs, nowMs),
      restForMs: Math.max(0, this.#parts.restUntilMs(name) - monotonicMs),
      owner: host.owner,
      othersUseCards: othersUse(host.owner, said),
      wakeability: host.power.wakeability,
      pulling: fetchingOn(name, this.#parts.live, declared.current().deployments),
      lastRelayOf: this.#parts.lastRelayOf(name),
    };
  }

  /** Looked up anew twice a minute: what hours it is takes some reckoning. */
  #awakeForMs(host: DeclaredHost, nowMs: number): number | null {
    if (host.sleep.awakeHours.length === 0) return null;
    let held = this.#awakeHours.get(host);
    if (held === undefined || nowMs < held.atMs || nowMs >= held.atMs + HOURS_HOLD_MS) {
      held = { atMs: nowMs, untilMs: this.#awakeUntilMs(host, nowMs) };
      this.#awakeHours.set(host, held);
    }
    return held.untilMs === null || held.untilMs <= nowMs ? null : held.untilMs - nowMs;
  }

  #awakeUntilMs({ sleep: { awakeHours }, timeZone }: DeclaredHost, nowMs: number): number | null {
    let offsetAt = this.#offsets.get(timeZone);
    if (offsetAt === undefined) {
      offsetAt = zoneOffset(timeZone);
      this.#offsets.set(timeZone, offsetAt);
    }
    return currentStretch(awakeHours, nowMs, offsetAt)?.toMs ?? null;
  }
}

/** A clock that was set back keeps nobody awake for longer than was declared. */
function restOf(sinceMs: number, lengthMs: number, nowMs: number): number {
  return Math.min(lengthMs, Math.max(0, sinceMs + lengthMs - nowMs));
}

/** Also where the owner does not want the cards to be given up for it. */
function othersUse(owner: OwnerReport | null, host: DeclaredHost | undefined): boolean {
  if (owner === null || host === undefined) return false;
  const { vramGigabytes, utilisationRatio } = host.owner;
  const { foreignVramBytes, foreignUtilisationRatio } = owner;
  return (foreignVramBytes ?? 0) > vramGigabytes * 1e9 || (foreignUtilisationRatio ?? 0) > utilisationRatio;
}

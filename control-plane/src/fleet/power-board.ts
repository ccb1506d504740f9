import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '@ai-fabric/shared';
import { POWER_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { DeclaredSource } from '../declared/declared-state.js';
import { type HostPower, UNKNOWN_POWER } from '../live/host-power.js';
import type { LiveChange, LiveHost } from '../live/live-view.js';
import { findPaths, type OwnAddress, type PacketPaths } from './decide/find-paths.js';
import {
  type FromState,
  judgeFromState,
  judgePowerState,
  type WakeFrom,
} from './decide/judge-power-state.js';
import {
  judgeWakeability,
  type WakeJudgement,
  type WakerFacts,
  wakeInterfaces,
} from './decide/judge-wakeability.js';
import { type ReadyTimes, readyTimes, type UsualTimes, unparkTimes } from './decide/usual-times.js';
import type { FleetLive } from './fleet-parts.js';
import type { Flight } from './flight.js';
import { LanIndex } from './lan-index.js';
import type { LoadTimes } from './load-times.js';
import type { PowerMemory } from './power-memory.js';
import { RelayNeeds } from './relay-needs.js';

export interface PowerBoardParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly memory: PowerMemory;
  readonly clock: Clock;
  readonly ownAddresses: () => readonly OwnAddress[];
  readonly protocolVersion: (host: string) => number | null;
  readonly wakerOf: (host: string) => WakerFacts;
  readonly flightOf: (host: string) => Flight | null;
  readonly loads: Pick<LoadTimes, 'usualSeconds'>;
  /** It is on, and its engines are parked. */
  readonly isParked: (host: string) => boolean;
}

/** How a host stands with its wake. */
export interface WakeStanding extends WakeJudgement {
  readonly fromState: WakeFrom;
  readonly paths: PacketPaths;
  readonly waker: WakerFacts;
  readonly macs: readonly string[];
  /** IPv4, without prefix. */
  readonly addresses: readonly string[];
}

type Seen = Pick<LiveHost, 'presence' | 'goodbyeReason' | 'inventory' | 'hostId' | 'revokedAtMs'> & {
  readonly isTaken: boolean;
};

/** Hosts that came or went change what others can be woken through. */
const ALL_AFTER_MS = 500;
/** Its agent is there and does as it is asked. */
const PARKED = {
  wakeability: { kind: 'yes', proven: true },
  mayBeTried: true,
  fromState: 'parked',
} as const;

/**
 * Tells the live view what is known of each host's power. It follows changes, and writes after those who follow the same
 * change have seen it.
 */
export class PowerBoard {
  readonly #parts: PowerBoardParts;
  readonly #seen = new Map<string, Seen>();
  readonly #goingToSleep = new Map<string, HostPower['goingToSleep']>();
  readonly #dirty = new Set<string>();
  readonly #closers: (() => void)[];
  readonly #needs: RelayNeeds;
  #lans: LanIndex | null = null;
  /** By host, until the declared state is another. */
  #deployments: Map<string, readonly string[]> | null = null;
  #allLater: Timer | null = null;
  #closed = false;

  constructor(parts: PowerBoardParts) {
    this.#parts = parts;
    this.#needs = new RelayNeeds(parts.live);
    this.#closers = [
      parts.live.onChange((change) => this.#follow(change)),
      parts.declared.onChange(() => {
        this.#deployments = null;
        this.touchAll();
      }),
    ];
    this.touchAll();
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#allLater?.cancel();
    for (const close of this.#closers) close();
  }

  /** Something of the host's power is other now. */
  touch(host: string): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#flush());
    this.#dirty.add(host);
  }

  /** Who asks next is to see it. */
  publish(name: string): void {
    const host = this.#parts.live.host(name);
    if (host !== undefined && !this.#closed) this.#publish(host);
  }

  touchAll(): void {
    this.#lans = null;
    for (const { name } of this.#parts.live.hosts()) this.touch(name);
  }

  /** Told at once: the next request is to find it so. */
  goesToSleep(host: string, how: NonNullable<HostPower['goingToSleep']>): void {
    this.#goingToSleep.set(host, how);
    this.publish(host);
  }

  /** It sleeps, or does not go to sleep after all; told when who asks now has done so, to be found by those who wait then. */
  wentToSleep(host: string): void {
    this.#goingToSleep.delete(host);
    this.touch(host);
  }

  /** Hosts that sleep, and that nobody but this one could wake. */
  lastRelayOf(host: string): readonly string[] {
    return this.#needs.lastRelayOf(host);
  }

  /** As the network is now, rather than as it was half a second ago. */
  freshStandingOf(host: LiveHost): WakeStanding {
    this.#lans = null;
    return this.standingOf(host);
  }

  standingOf(host: LiveHost): WakeStanding {
    const { memory, wakerOf, ownAddresses } = this.#parts;
    const { sleptBy, proven } = memory.of(host.hostId);
    const { inventory, goodbyeReason } = host;
    const isParked = this.#isParked(host);
    const usable = wakeInterfaces(inventory);
    const lans = this.#lanIndex();
    const waker = wakerOf(host.name);
    const fromState =
      host.presence === 'away' ? judgeFromState({ goodbyeReason, sleptBy }) : this.#wouldSleepBy(host);
    const paths = findPaths(usable, ownAddresses(), lans.neighboursOf(host.name, usable));
    const judgement = judgeWakeability({
      ...{ host: host.name, inventory, fromState, proven, paths },
      isRevoked: host.revokedAtMs !== null,
      isYielded: isTaken(host.owner),
      isShutDownByOthers: host.presence === 'away' && sleptBy === null,
      waker,
      macSharedWith: lans.sharingMac(host.name, usable),
    });
    return {
      ...(isParked ? PARKED : { ...judgement, fromState }),
      ...{ paths, waker },
      macs: usable.map(({ mac }) => mac),
      addresses: usable
        .flatMap(({ addresses }) => addresses)
        .map((address) => address.split('/')[0] ?? '')
        .filter((address) => /^[\d.]+$/.test(address)),
    };
  }

  /** From the wish to a ready model of this deployment. */
  readyTimesOf(host: LiveHost, deployment: string): ReadyTimes {
    const { memory, live, loads, flightOf } = this.#parts;
    const isUnpark = this.#isParked(host) || flightOf(host.name)?.order.fromState === 'parked';
    if (isUnpark) return unparkTimes(memory.of(host.hostId).usualUnpark, deployment);
    const status = live.replica(deployment)?.status ?? null;
    const weightsBytes = status?.growth?.weightsBytes ?? null;
    return readyTimes({
      usual: memory.of(host.hostId).usual,
      deployment,
      isCached: weightsBytes === null ? null : weightsBytes === 0,
      usualLoadSeconds: loads.usualSeconds(deployment),
    });
  }

  /** Until this deployment is ready, as usual: what is left of the wake that is under way, else from the wish. */
  leftMsOf(host: LiveHost, deployment: string): number {
    const flight = this.#parts.flightOf(host.name);
    const times = this.readyTimesOf(host, deployment);
    return flight === null ? times.p50Ms : flight.leftMs(deployment, this.#usualOf(host, flight), times);
  }

  #usualOf({ hostId }: LiveHost, flight: Flight | null): UsualTimes {
    const { usual, usualUnpark } = this.#parts.memory.of(hostId);
    return flight?.order.fromState === 'parked' ? usualUnpark : usual;
  }

  #follow(change: LiveChange): void {
    if (change.kind === 'hostRemoved') {
      this.#needs.forget(change.name);
      this.#seen.delete(change.name);
      this.#goingToSleep.delete(change.name);
      this.#allSoon();
      return;
    }
    if (change.kind !== 'host' || this.#closed) return;
    const { name, presence, goodbyeReason, inventory, hostId, revokedAtMs } = change.host;
    const before = this.#seen.get(name);
    const now = {
      ...{ presence, goodbyeReason, inventory, hostId, revokedAtMs },
      isTaken: isTaken(change.host.owner),
    };
    this.#seen.set(name, now);
    if (before !== undefined && isSame(before, now)) return;
    this.touch(name);
    this.#allSoon();
  }

  #allSoon(): void {
    if (this.#closed) return;
    this.#allLater ??= this.#parts.clock.after(ALL_AFTER_MS, () => {
      this.#allLater = null;
      this.touchAll();
    });
  }

  #flush(): void {
    const hosts = [...this.#dirty];
    this.#dirty.clear();
    if (this.#closed) return;
    for (const name of hosts) {
      const host = this.#parts.live.host(name);
      if (host !== undefined) this.#publish(host);
    }
  }

  #publish(host: LiveHost): void {
    const { live, clock } = this.#parts;
    const before = host.power;
    const next = this.#powerOf(host);
    if (before !== UNKNOWN_POWER && isDeepStrictEqual(before, { ...next, sinceMs: before.sinceMs })) return;
    const isNewState = before.state !== next.state || before === UNKNOWN_POWER;
    const sinceMs = before === UNKNOWN_POWER ? host.presenceSinceMs : clock.nowMs();
    live.setPower(host.name, isNewState ? { ...next, sinceMs } : { ...next, sinceMs: before.sinceMs });
    if (isNewState && before !== UNKNOWN_POWER) this.#record(host, next.state);
  }

  #powerOf(host: LiveHost): HostPower {
    const { memory, flightOf } = this.#parts;
    const flight = flightOf(host.name);
    const { sleptBy, usual, keepAwakeUntilMs } = memory.of(host.hostId);
    const { presence, goodbyeReason } = host;
    const isParked = this.#isParked(host);
    const ready = this.#allReadyTimes(host);
    const standing = this.standingOf(host);
    this.#needs.note(host, standing);
    return {
      state: judgePowerState({ presence, goodbyeReason, sleptBy, isParked, isWaking: flight !== null }),
      sinceMs: 0,
      wakeability: standing.wakeability,
      flight: flight?.view(this.#usualOf(host, flight), ready) ?? null,
      goingToSleep: this.#goingToSleep.get(host.name) ?? null,
      keepAwakeUntilMs,
      readySeconds: Object.fromEntries(
        [...ready].map(([name, { p50Ms }]) => [name, Math.round(p50Ms / 1000)]),
      ),
      wakeTimes: usual.told,
    };
  }

  #allReadyTimes(host: LiveHost): ReadonlyMap<string, ReadyTimes> {
    return new Map(this.#deploymentsOn(host.name).map((name) => [name, this.readyTimesOf(host, name)]));
  }

  #deploymentsOn(host: string): readonly string[] {
    if (this.#deployments === null) {
      this.#deployments = new Map();
      for (const each of this.#parts.declared.current().deployments.values()) {
        this.#deployments.set(each.host, [...(this.#deployments.get(each.host) ?? []), each.name]);
      }
    }
    return this.#deployments.get(host) ?? [];
  }

  #record({ hostId, goodbyeReason, name }: LiveHost, state: HostPower['state']): void {
    if (hostId === null || state === 'late' || state === 'unseen') return;
    const { memory, flightOf } = this.#parts;
    const wake = state === 'waking' ? (flightOf(name)?.order ?? null) : null;
    const sleptFor = state === 'asleep' ? memory.of(hostId).sleptFor : null;
    const cause = wake === null ? (sleptFor ?? goodbyeReason) : wake.askedBy;
    memory.event(hostId, state, cause, wake === null ? null : wake.wakeId);
  }

  #isParked({ name, presence }: LiveHost): boolean {
    return presence === 'online' && this.#parts.isParked(name);
  }

  #wouldSleepBy(host: LiveHost): FromState {
    const action = this.#parts.declared.current().hosts.get(host.name)?.sleep.action;
    return action === 'suspend' || action === 'poweroff' ? action : 'suspend';
  }

  #lanIndex(): LanIndex {
    const { live, protocolVersion } = this.#parts;
    this.#lans ??= new LanIndex(
      live.hosts(),
      (host) => (protocolVersion(host) ?? 0) >= POWER_PROTOCOL_VERSION,
    );
    return this.#lans;
  }
}

function isSame(one: Seen, other: Seen): boolean {
  return (
    one.presence === other.presence &&
    one.goodbyeReason === other.goodbyeReason &&
    one.inventory === other.inventory &&
    one.hostId === other.hostId &&
    one.revokedAtMs === other.revokedAtMs &&
    one.isTaken === other.isTaken
  );
}

/** What runs on a card is gone with its machine; what somebody said is not. */
function isTaken(owner: LiveHost['owner']): boolean {
  return owner !== null && owner.state !== 'serving' && owner.cause !== 'foreign_use';
}

import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { Environment } from '../config/environment.js';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LinkServer } from '../link/link-server.js';
import type { PowerStore } from '../registry/power-types.js';
import { AwakeLeases } from './awake-leases.js';
import type { OwnAddress } from './decide/find-paths.js';
import type { WakerFacts } from './decide/judge-wakeability.js';
import type { FleetLive } from './fleet-parts.js';
import { createMagicPacketSender, ownIpv4Addresses, type PacketSender } from './magic-packet-sender.js';
import { PowerBoard } from './power-board.js';
import { PowerMemory } from './power-memory.js';
import { probeByTcp, type ReachabilityProbe } from './reachability-probe.js';
import { Rehearsals } from './rehearsals.js';
import type { SleepDesk } from './sleep-desk.js';
import { WakeFleet } from './wake-fleet.js';
import { runWaker } from './wakers/run-waker.js';
import { WakersFile } from './wakers/wakers-file.js';

export interface FleetParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly store: PowerStore;
  readonly link: Pick<LinkServer, 'ask' | 'protocolVersion'>;
  /** Where this machine's wakers are. */
  readonly wakersFile: string;
  readonly environment: Environment;
  /** Requests of the fabric that run now, by deployment. */
  readonly requestsInFlight: () => ReadonlyMap<string, number>;
  /** UDP ports that magic packets go to. */
  readonly wakePorts: readonly number[];
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Left out, no host is put to sleep. */
  readonly openSleepDesk?: (seams: SleepSeams) => SleepDesk;
  /** Left out, this machine's. */
  readonly ownAddresses?: () => readonly OwnAddress[];
  /** Left out, real UDP. */
  readonly sender?: PacketSender;
  /** Left out, by TCP. */
  readonly probe?: ReachabilityProbe;
}

/** What somebody who puts hosts to sleep is made of. */
export interface SleepSeams {
  readonly board: PowerBoard;
  readonly memory: PowerMemory;
  readonly wakes: WakeFleet;
}

export interface Fleet {
  readonly wakes: WakeFleet;
  readonly board: PowerBoard;
  readonly memory: PowerMemory;
  readonly rehearsals: Rehearsals;
  close(): void;
}

/** Addresses come and go, seldom. */
const ADDRESSES_HOLD_MS = 2_000;

/** Who knows of hosts' power, and wakes them. @throws {RegistryError} */
export function createFleet(parts: FleetParts): Fleet {
  const { live, declared, link, clock, log, newId, wakePorts } = parts;
  const memory = new PowerMemory(parts.store, clock);
  const wakers = new WakersFile(parts.wakersFile, clock);
  const protocolVersion = (host: string) => link.protocolVersion(host);
  let wakes: WakeFleet | null = null;
  let sleep: SleepDesk | null = null;
  const board = new PowerBoard({
    ...{ live, declared, memory, clock, protocolVersion },
    ownAddresses: parts.ownAddresses ?? heldFor(ADDRESSES_HOLD_MS, ownIpv4Addresses, clock),
    wakerOf: (host) => wakerOf(declared, wakers, host),
    flightOf: (host) => wakes?.flightOf(host) ?? null,
    isParked: (host) => sleep?.isParked(host) ?? false,
  });
  wakes = new WakeFleet({
    ...{ live, declared, memory, board, protocolVersion, newId, clock, log },
    volley: {
      sender: parts.sender ?? createMagicPacketSender(wakePorts),
      ask: (host, command, ttlMs) => link.ask(host, command, ttlMs),
      ports: wakePorts,
    },
    runWaker: async (name, call) => {
      const found = wakers.find(name);
      return found.ok ? runWaker(found.waker, call, parts.environment) : found.detail;
    },
    probe: parts.probe ?? probeByTcp,
    sleep: {
      unpark: (host) => (sleep ?? NOBODY_SLEEPS).unpark(host),
      callBack: (host, reason) => (sleep ?? NOBODY_SLEEPS).callBack(host, reason),
    },
  });
  const desk = parts.openSleepDesk?.({ board, memory, wakes }) ?? NOBODY_SLEEPS;
  sleep = desk;
  const leases = new AwakeLeases({
    ...{ live, declared, memory, clock, protocolVersion, requestsInFlight: parts.requestsInFlight },
    ask: (host, command, ttlMs) => link.ask(host, command, ttlMs),
  });
  const fleet = wakes;
  return {
    ...{ wakes: fleet, board, memory },
    rehearsals: new Rehearsals({ sleep: desk, wakes: fleet, clock, log }),
    close: () => {
      leases.close();
      fleet.close();
      board.close();
    },
  };
}

/** Where nothing puts hosts to sleep. */
const NOBODY_SLEEPS: SleepDesk = {
  sleep: () =>
    Promise.resolve({
      ...{ kind: 'refused', code: 'not_supported' },
      detail: 'this control plane puts no host to sleep',
    }),
  isParked: () => false,
  unpark: () => Promise.resolve('this control plane parks no host'),
  callBack: () => true,
};

function wakerOf(declared: DeclaredSource, wakers: WakersFile, host: string): WakerFacts {
  const name = declared.current().hosts.get(host)?.wake.waker ?? null;
  if (name === null) return { kind: 'none' };
  const found = wakers.find(name);
  return found.ok ? { kind: 'usable', name } : { kind: 'unusable', name, detail: found.detail };
}

function heldFor<Value>(ms: number, read: () => Value, clock: Clock): () => Value {
  let held: { readonly value: Value; readonly untilMs: number } | null = null;
  return () => {
    const nowMs = clock.monotonicMs();
    if (held === null || held.untilMs <= nowMs) held = { value: read(), untilMs: nowMs + ms };
    return held.value;
  };
}

import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { Environment } from '../config/environment.js';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LinkServer } from '../link/link-server.js';
import type { PowerStore } from '../registry/power-types.js';
import { AwakeLeases } from './awake-leases.js';
import type { OwnAddress } from './decide/find-paths.js';
import type { OwnMachine } from './decide/is-own-machine.js';
import type { WakerFacts } from './decide/judge-wakeability.js';
import type { FleetLive, FleetUse } from './fleet-parts.js';
import { LoadTimes } from './load-times.js';
import { createMagicPacketSender, ownIpv4Addresses, type PacketSender } from './magic-packet-sender.js';
import { PowerBoard } from './power-board.js';
import { PowerMemory } from './power-memory.js';
import { PowerMeter } from './power-meter.js';
import { probeByTcp, type ReachabilityProbe } from './reachability-probe.js';
import { readOwnMachine } from './read-own-machine.js';
import { Rehearsals } from './rehearsals.js';
import type { SleepDesk } from './sleep-desk.js';
import { SleepFleet } from './sleep-fleet.js';
import { WakeFleet } from './wake-fleet.js';
import { runWaker } from './wakers/run-waker.js';
import { WakersFile } from './wakers/wakers-file.js';

export interface FleetParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly store: PowerStore;
  readonly link: Pick<LinkServer, 'ask' | 'protocolVersion'>;
  /** What requests do on each host. */
  readonly use: FleetUse;
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
  /** Left out, this fleet's own. */
  readonly openSleepDesk?: (seams: SleepSeams) => SleepDesk;
  /** Left out, this machine's. */
  readonly ownAddresses?: () => readonly OwnAddress[];
  /** Left out, this machine's. */
  readonly ownMachine?: () => OwnMachine;
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
  readonly sleeps: SleepFleet;
  readonly board: PowerBoard;
  readonly memory: PowerMemory;
  readonly meter: PowerMeter;
  readonly rehearsals: Rehearsals;
  close(): void;
}

/** Addresses come and go, seldom. */
const ADDRESSES_HOLD_MS = 2_000;

/** Who knows of hosts' power, wakes them, and puts them to sleep. @throws {RegistryError} */
export function createFleet(parts: FleetParts): Fleet {
  const { live, declared, link, use, clock, log, newId, wakePorts } = parts;
  const memory = new PowerMemory(parts.store, clock);
  const wakers = new WakersFile(parts.wakersFile, clock);
  const protocolVersion = (host: string) => link.protocolVersion(host);
  const meter = new PowerMeter({ live, store: parts.store, memory, use, clock });
  let wakes: WakeFleet | null = null;
  let sleep: SleepDesk | null = null;
  const loads = new LoadTimes({ live, declared, memory, clock });
  const board = new PowerBoard({
    ...{ live, declared, memory, clock, protocolVersion, loads },
    ownAddresses: parts.ownAddresses ?? heldFor(ADDRESSES_HOLD_MS, ownIpv4Addresses, clock),
    wakerOf: (host) => wakerOf(declared, wakers, host),
    flightOf: (host) => wakes?.flightOf(host) ?? null,
    isParked: (host) => sleep?.isParked(host) ?? false,
  });
  wakes = new WakeFleet({
    ...{ live, declared, memory, board, protocolVersion, newId, clock, log, meter },
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
      unpark: (host) => sleep?.unpark(host) ?? Promise.resolve('it is not known yet who parks hosts'),
      callBack: (host, reason) => sleep?.callBack(host, reason) ?? true,
    },
  });
  const sleeps = new SleepFleet({
    ...{ live, declared, memory, board, link, use, clock, log },
    isWaking: (host) => wakes?.flightOf(host) != null,
    ownMachine: parts.ownMachine ?? heldFor(ADDRESSES_HOLD_MS, readOwnMachine, clock),
  });
  const desk = parts.openSleepDesk?.({ board, memory, wakes }) ?? sleeps;
  sleep = desk;
  const leases = new AwakeLeases({
    ...{ live, declared, memory, clock, protocolVersion, requestsInFlight: parts.requestsInFlight },
    ask: (host, command, ttlMs) => link.ask(host, command, ttlMs),
  });
  const fleet = wakes;
  const rehearsals = new Rehearsals({ sleep: desk, wakes: fleet, clock, log });
  return {
    ...{ wakes: fleet, sleeps, board, memory, meter },
    rehearsals,
    close: () => {
      meter.close();
      leases.close();
      sleeps.close();
      fleet.close();
      rehearsals.close();
      board.close();
      loads.close();
    },
  };
}

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

import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { Environment } from '../config/environment.js';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LinkServer } from '../link/link-server.js';
import type { PowerStore } from '../registry/power-types.js';
import type { OwnAddress } from './decide/find-paths.js';
import type { WakerFacts } from './decide/judge-wakeability.js';
import type { FleetLive, FleetUse } from './fleet-parts.js';
import {
  createMagicPacketSender,
  ownIpv4Addresses,
  ownMacs,
  type PacketSender,
} from './magic-packet-sender.js';
import { PowerBoard } from './power-board.js';
import { PowerMemory } from './power-memory.js';
import { probeByTcp, type ReachabilityProbe } from './reachability-probe.js';
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
  /** UDP ports that magic packets go to. */
  readonly wakePorts: readonly number[];
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Left out, this machine's. */
  readonly ownAddresses?: () => readonly OwnAddress[];
  /** Left out, this machine's. */
  readonly ownMacs?: () => ReadonlySet<string>;
  /** Left out, real UDP. */
  readonly sender?: PacketSender;
  /** Left out, by TCP. */
  readonly probe?: ReachabilityProbe;
}

export interface Fleet {
  readonly wakes: WakeFleet;
  readonly sleeps: SleepFleet;
  readonly board: PowerBoard;
  readonly memory: PowerMemory;
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
  let wakes: WakeFleet | null = null;
  const board = new PowerBoard({
    ...{ live, declared, memory, clock, protocolVersion },
    ownAddresses: parts.ownAddresses ?? heldFor(ADDRESSES_HOLD_MS, ownIpv4Addresses, clock),
    wakerOf: (host) => wakerOf(declared, wakers, host),
    flightOf: (host) => wakes?.flightOf(host) ?? null,
  });
  const sleeps = new SleepFleet({
    ...{ live, declared, memory, board, link, use, clock, log },
    isWaking: (host) => wakes?.flightOf(host) != null,
    ownMacs: parts.ownMacs ?? heldFor(ADDRESSES_HOLD_MS, ownMacs, clock),
  });
  wakes = new WakeFleet({
    ...{ live, declared, memory, board, sleeps, protocolVersion, newId, clock, log },
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
  });
  const fleet = wakes;
  return {
    ...{ wakes: fleet, sleeps, board, memory },
    close: () => {
      sleeps.close();
      fleet.close();
      board.close();
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

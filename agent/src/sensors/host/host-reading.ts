import { cpus, freemem, totalmem } from 'node:os';
import type { Clock, HostReading } from '@ai-fabric/shared';
import { type ClosableSensor, reading } from '../sensor.js';
import { hasVirtualName } from './decide/judge-virtual-interface.js';
import { type Memory, parseMeminfo } from './decide/parse-meminfo.js';
import {
  type InterfaceCounters,
  type NetworkRates,
  networkRatesBetween,
  noNetworkRates,
  parseProcNetDev,
} from './decide/parse-proc-net-dev.js';
import { type CpuTimes, cpuRatioBetween, parseProcStat, sumCpuTimes } from './decide/parse-proc-stat.js';
import { diskUsage } from './disk-usage.js';
import { readLinuxInterfaceFacts } from './linux-interfaces.js';
import { procFile } from './proc-file.js';

export interface HostReadingOptions {
  readonly platform: NodeJS.Platform;
  /** The disk that this directory is on is the one that is watched. */
  readonly dataDirectory: string;
  readonly clock: Clock;
}

/** What the host does, from built-ins alone: made to be read each second. Rates are those since the read before. */
export function hostReadingSensor(options: HostReadingOptions): ClosableSensor<HostReading> {
  const parts = options.platform === 'linux' ? linuxParts(options.clock) : otherParts();
  const disk = diskUsage(options.dataDirectory, options.clock);
  let cpuBefore: CpuTimes | null = null;
  return {
    read: async () => {
      const network = await parts.network();
      const cpu = parts.cpu();
      const memory = parts.memory();
      const value: HostReading = {
        cpuRatio: cpuRatioBetween(cpuBefore, cpu),
        memoryUsedBytes: memory?.usedBytes ?? null,
        memoryTotalBytes: memory?.totalBytes ?? null,
        ...disk.read(),
        networkReceivedBytesPerSecond: network.receivedBytesPerSecond,
        networkSentBytesPerSecond: network.sentBytesPerSecond,
      };
      cpuBefore = cpu;
      return reading(value);
    },
    close: () => {
      parts.close();
      return Promise.resolve();
    },
  };
}

interface Parts {
  cpu(): CpuTimes | null;
  memory(): Memory | null;
  network(): Promise<NetworkRates>;
  close(): void;
}

const HEAD_BYTES = 512;
const MEMINFO_BYTES = 4_096;
const NET_DEV_BYTES = 65_536;
/** How often it is looked up which interfaces are physical. */
const NAMES_MS = 60_000;

function linuxParts(clock: Clock): Parts {
  const stat = procFile('/proc/stat', HEAD_BYTES, false);
  const meminfo = procFile('/proc/meminfo', MEMINFO_BYTES, false);
  const netDev = procFile('/proc/net/dev', NET_DEV_BYTES);
  const counts = physicalNames(clock);
  let before: { counters: ReadonlyMap<string, InterfaceCounters>; atMs: number } | null = null;
  return {
    cpu: () => parseProcStat(stat.read() ?? ''),
    memory: () => parseMeminfo(meminfo.read() ?? ''),
    network: async () => {
      const isPhysical = await counts();
      const now = { counters: parseProcNetDev(netDev.read() ?? ''), atMs: clock.monotonicMs() };
      const rates =
        before === null
          ? noNetworkRates
          : networkRatesBetween(before.counters, now.counters, now.atMs - before.atMs, isPhysical);
      before = now;
      return rates;
    },
    close: () => {
      for (const file of [stat, meminfo, netDev]) file.close();
    },
  };
}

/** Those with a device, so that a bridge and its port are not counted twice; where none has one, by name. */
function physicalNames(clock: Clock): () => Promise<(name: string) => boolean> {
  let devices: ReadonlySet<string> = new Set();
  let lookAtMs = Number.NEGATIVE_INFINITY;
  const counts = (name: string): boolean => (devices.size > 0 ? devices.has(name) : !hasVirtualName(name));
  return async () => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= lookAtMs) {
      lookAtMs = nowMs + NAMES_MS;
      const facts = await readLinuxInterfaceFacts();
      devices = new Set([...facts].flatMap(([name, { hasDevice }]) => (hasDevice ? [name] : [])));
    }
    return counts;
  };
}

/** Windows has no cheap counter of network bytes within Node's reach: asking a tool each second would cost more than all else. */
function otherParts(): Parts {
  return {
    cpu: () => sumCpuTimes(cpus()),
    memory: () => {
      const totalBytes = totalmem();
      return totalBytes > 0 ? { totalBytes, usedBytes: totalBytes - freemem() } : null;
    },
    network: () => Promise.resolve(noNetworkRates),
    close: () => undefined,
  };
}

import type { HostInventory, TelemetrySample } from '@ai-fabric/shared';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

function cardUuid(index: number): string {
  return `GPU-${index.toString(16).padStart(8, '0')}-5a1c-4e0b-9d27-c0ffee${index.toString(16).padStart(6, '0')}`;
}

/** A workstation with one card. */
export function sampleInventory(index: number): HostInventory {
  const low = index.toString(16).padStart(4, '0');
  return {
    os: 'linux',
    osName: 'Ubuntu 24.04.1 LTS',
    kernel: '6.8.0-51-generic',
    architecture: 'x64',
    cpuModel: 'AMD Ryzen 7 5800X 8-Core Processor',
    cpuThreads: 16,
    memoryTotalBytes: 32 * GIB,
    bootId: `boot-${index}`,
    bootedAtMs: 1_763_800_000_000,
    interfaces: [
      {
        name: 'enp5s0',
        mac: `02:00:00:00:${low.slice(0, 2)}:${low.slice(2)}`,
        addresses: [`10.0.${index >> 8}.${index & 255}/16`],
        kind: 'wired',
        gatewayMac: '02:00:00:00:00:01',
      },
    ],
    gpus: [
      {
        uuid: cardUuid(index),
        index: 0,
        name: 'NVIDIA GeForce RTX 4070 SUPER',
        pciBusId: '00000000:01:00.0',
        vramTotalBytes: 12_282 * MIB,
        powerLimitWatts: 220,
        driverVersion: '570.86.15',
        cudaVersion: '12.8',
        migEnabled: null,
      },
    ],
  };
}

/** The next second of a busy host: everything that moves on a real one moves here, in the steps of its tool. */
export function nextSample(index: number, atMs: number, random: () => number): TelemetrySample {
  const busy = random();
  const between = (least: number, most: number): number => least + (most - least) * random();
  return {
    atMs,
    host: {
      cpuRatio: Math.round(between(0.05, 0.9) * 10_000) / 10_000,
      memoryUsedBytes: 4_096 * Math.round(between(2e6, 6e6)),
      memoryTotalBytes: 32 * GIB,
      diskUsedBytes: 4_096 * Math.round(between(5e7, 5.01e7)),
      diskTotalBytes: 1_000 * GIB,
      networkReceivedBytesPerSecond: Math.round(between(1e3, 1e7)),
      networkSentBytesPerSecond: Math.round(between(1e3, 1e7)),
    },
    gpus: {
      [cardUuid(index)]: {
        utilisationRatio: Math.round(busy * 100) / 100,
        memoryUtilisationRatio: Math.round(busy * between(20, 60)) / 100,
        vramUsedBytes: MIB * Math.round(between(9_000, 12_000)),
        vramTotalBytes: 12_282 * MIB,
        temperatureCelsius: Math.round(45 + 30 * busy),
        memoryTemperatureCelsius: null,
        powerWatts: Math.round(between(40, 220) * 100) / 100,
        powerLimitWatts: 220,
        smClockMhz: 15 * Math.round(between(14, 190)),
        memoryClockMhz: busy > 0.1 ? 10_501 : 405,
        fanRatio: Math.round(busy * 60) / 100,
        performanceState: busy > 0.1 ? 'P2' : 'P8',
        clocksEventReasonsMask: busy > 0.9 ? 4 : 0,
      },
    },
    replicas: {},
  };
}

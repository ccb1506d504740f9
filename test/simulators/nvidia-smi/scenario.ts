import type { DriverGeneration } from './driver-generations.js';
import type { RecordedRun } from './recorded.js';

/** A slice of a card under MIG. */
export interface MigDevice {
  readonly profile: string;
  readonly uuid: string;
  readonly gpuInstance: number;
  readonly memoryMib: number;
}

export interface SimulatedCard {
  readonly uuid: string;
  readonly name: string;
  readonly busId: string;
  readonly architecture: string;
  readonly computeCapability: string;
  readonly vramMib: number;
  /** What is used, about; it moves a little. */
  readonly vramUsedMib: number;
  /** How busy the card is, about: 0–1. */
  readonly load: number;
  readonly idleWatts: number;
  readonly powerLimitWatts: number;
  readonly maxSmMhz: number;
  readonly maxMemoryMhz: number;
  /** Server cards have no fan of their own, but a sensor on the memory and ECC. */
  readonly serverCard: boolean;
  /** Not empty: MIG is on, and utilisation is N/A. */
  readonly migDevices: readonly MigDevice[];
  /** Printed for a queried field as it stands: `{ "fan.speed": "[Unknown Error]" }`. */
  readonly fixedValues: Readonly<Record<string, string>>;
}

/** What nvidia-smi does. `afterTicks` counts from the start of the process, or from the change of the scenario. */
export type NvidiaSmiBehaviour =
  | { readonly kind: 'healthy' }
  /**
   * One card falls off the bus. A process that runs goes on with `words` for its values. One that starts afterwards
   * fails as a whole, or prints such rows at once (`atStart: 'rows'`).
   */
  | {
      readonly kind: 'card_lost';
      readonly uuid: string;
      readonly afterTicks?: number;
      readonly words?: string;
      /** The row loses its UUID too. */
      readonly identityLost?: boolean;
      readonly atStart?: 'fails' | 'rows';
    }
  /** Prints nothing more and ignores SIGTERM. */
  | { readonly kind: 'hang'; readonly afterTicks?: number }
  | { readonly kind: 'garbage'; readonly afterTicks?: number }
  /** Every reading is one of the words that drivers print for "no number", another one each tick. */
  | { readonly kind: 'sentinels' }
  | {
      readonly kind: 'exits';
      readonly afterTicks?: number;
      readonly exitCode: number;
      readonly text?: string;
    }
  | { readonly kind: 'version_mismatch' }
  | { readonly kind: 'driver_not_loaded' }
  | { readonly kind: 'library_not_found' }
  | { readonly kind: 'insufficient_permissions' }
  | { readonly kind: 'no_devices' };

export interface NvidiaSmiScenario {
  readonly driver: DriverGeneration;
  /** `windows`: WDDM, CRLF, no minor numbers. */
  readonly platform: 'linux' | 'windows';
  /** The same seed gives the same readings. */
  readonly seed: number;
  readonly cards: readonly SimulatedCard[];
  readonly behaviour: NvidiaSmiBehaviour;
  /** Until the first output: a driver without persistence mode takes seconds. */
  readonly startDelayMs: number;
  /** What a real one said, said again instead of all else; `null`: there is none. */
  readonly recorded: readonly RecordedRun[] | null;
}

const BASE: SimulatedCard = {
  uuid: 'GPU-5a1ef0b0-0000-4000-8000-000000002080',
  name: 'NVIDIA GeForce RTX 2080',
  busId: '00000000:0B:00.0',
  architecture: 'Turing',
  computeCapability: '7.5',
  vramMib: 8192,
  vramUsedMib: 6200,
  load: 0.4,
  idleWatts: 18,
  powerLimitWatts: 215,
  maxSmMhz: 2100,
  maxMemoryMhz: 7000,
  serverCard: false,
  migDevices: [],
  fixedValues: {},
};

/** Cards of the reference estate, and two that are unlike them. */
export const SAMPLE_CARDS = {
  rtx2080: BASE,
  rtx4070: {
    ...BASE,
    uuid: 'GPU-5a1ef0b0-0000-4000-8000-000000004070',
    name: 'NVIDIA GeForce RTX 4070 Laptop GPU',
    busId: '00000000:01:00.0',
    architecture: 'Ada Lovelace',
    computeCapability: '8.9',
    vramMib: 8188,
    powerLimitWatts: 140,
    maxSmMhz: 3105,
    maxMemoryMhz: 8001,
  },
  rtx4070Super: {
    ...BASE,
    uuid: 'GPU-5a1ef0b0-0000-4000-8000-000000040705',
    name: 'NVIDIA GeForce RTX 4070 SUPER',
    busId: '00000000:2D:00.0',
    architecture: 'Ada Lovelace',
    computeCapability: '8.9',
    vramMib: 12282,
    vramUsedMib: 9400,
    powerLimitWatts: 220,
    maxSmMhz: 3105,
    maxMemoryMhz: 10501,
  },
  h100Mig: {
    ...BASE,
    uuid: 'GPU-5a1ef0b0-0000-4000-8000-000000000100',
    name: 'NVIDIA H100 80GB HBM3',
    busId: '00000000:41:00.0',
    architecture: 'Hopper',
    computeCapability: '9.0',
    vramMib: 81559,
    vramUsedMib: 30000,
    idleWatts: 70,
    powerLimitWatts: 700,
    maxSmMhz: 1980,
    maxMemoryMhz: 2619,
    serverCard: true,
    migDevices: [
      {
        profile: '3g.40gb',
        uuid: 'MIG-5a1ef0b0-0000-5000-8000-000000000001',
        gpuInstance: 1,
        memoryMib: 40448,
      },
      {
        profile: '1g.10gb',
        uuid: 'MIG-5a1ef0b0-0000-5000-8000-000000000002',
        gpuInstance: 9,
        memoryMib: 9984,
      },
    ],
  },
} as const satisfies Record<string, SimulatedCard>;

/** A scenario with its defaults: one healthy RTX 2080 under the 580 driver on Linux. */
export function nvidiaSmiScenario(parts: Partial<NvidiaSmiScenario> = {}): NvidiaSmiScenario {
  return {
    driver: 580,
    platform: 'linux',
    seed: 1,
    cards: [SAMPLE_CARDS.rtx2080],
    behaviour: { kind: 'healthy' },
    startDelayMs: 0,
    recorded: null,
    ...parts,
  };
}

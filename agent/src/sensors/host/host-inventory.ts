import { arch, cpus, release, totalmem, version } from 'node:os';
import type { Clock, HostInventory, OperatingSystem } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { RootHelper } from '../../root-helper/root-helper.js';
import { reading, type Sensor } from '../sensor.js';
import { type BootIdentity, readBootIdentity } from './boot-identity.js';
import { networkInterfaceReader } from './network-interfaces.js';
import { powerFactsReader } from './power-facts.js';
import { simulatedInterfaceReader } from './simulated-interfaces.js';
import { readSystemFacts } from './system-facts.js';

/** What a host is, less its cards. */
export type HostFacts = Omit<HostInventory, 'gpus'>;

export interface HostInventoryOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly stateDirectory: string;
  /** For simulated machines: their interfaces; `null`: this machine's own. */
  readonly simulatedInterfacesPath: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly powerShimPath: string | null;
  /** Who tells what only root is told; `null`: nobody. */
  readonly helper: RootHelper | null;
}

type FixedFacts = Omit<HostFacts, 'interfaces' | 'power'>;

/**
 * What this host is. All but the interfaces and what power can do is read once: it cannot change without a reboot, and a boot time worked
 * out anew each time would look like a change.
 */
export function hostInventorySensor(options: HostInventoryOptions): Sensor<HostFacts> {
  let fixed: Promise<FixedFacts> | null = null;
  const { simulatedInterfacesPath } = options;
  const readInterfaces =
    simulatedInterfacesPath === null
      ? networkInterfaceReader(options)
      : simulatedInterfaceReader(simulatedInterfacesPath);
  const readPower = powerFactsReader(options);
  return {
    read: async () => {
      fixed ??= readFixedFacts(options);
      const { interfaces, power } = await readPower(await readInterfaces());
      return reading({ ...(await fixed), interfaces, ...(power === null ? {} : { power }) });
    },
  };
}

async function readFixedFacts(options: HostInventoryOptions): Promise<FixedFacts> {
  const [boot, system]: [BootIdentity, { osName: string | null; cpuModel: string | null }] =
    await Promise.all([
      readBootIdentity(options),
      readSystemFacts(options.clock).catch((error: unknown) => {
        options.logger.warn({ error: String(error) }, 'the system could not be described in full');
        return { osName: null, cpuModel: null };
      }),
    ]);
  const processors = cpus();
  return {
    os: operatingSystem(options.platform),
    osName: (system.osName ?? version()).slice(0, 120),
    kernel: release().slice(0, 120),
    architecture: arch().slice(0, 20),
    cpuModel: (system.cpuModel ?? processors[0]?.model.trim() ?? 'unknown').slice(0, 120),
    cpuThreads: Math.max(1, processors.length),
    memoryTotalBytes: totalmem(),
    bootId: boot.bootId,
    bootedAtMs: boot.bootedAtMs,
  };
}

function operatingSystem(platform: NodeJS.Platform): OperatingSystem {
  if (platform === 'linux') return 'linux';
  return platform === 'win32' ? 'windows' : 'other';
}

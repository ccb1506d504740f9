import type { Clock, GpuInventory, HostReading, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { rootHelper } from '../root-helper/root-helper.js';
import { findNvidiaSmi, type ToolSearch } from './gpu/find-nvidia-smi.js';
import { defaultInventoryChild, gpuInventorySensor } from './gpu/gpu-inventory.js';
import { listGpuProcesses } from './gpu/gpu-processes.js';
import { type GpuReadings, openGpuStream } from './gpu/gpu-stream.js';
import type { ChildCommand } from './gpu/killable-child.js';
import { leftTools } from './gpu/left-tools.js';
import { listBusIds } from './gpu/list-bus-ids.js';
import { stuckProcesses } from './gpu/stuck-processes.js';
import { toolStarter } from './gpu/tool-process.js';
import { type HostFacts, hostInventorySensor } from './host/host-inventory.js';
import { hostReadingSensor } from './host/host-reading.js';
import type { Sensor } from './sensor.js';
import type { SessionFacts } from './session/decide/session-facts.js';
import { SessionWatch } from './session/session-watch.js';

/** The settings that sensors need; an `AgentConfig` has them all. */
export interface SensorSettings {
  /** Set: no other place is searched. */
  readonly nvidiaSmiPath: string | null;
  readonly gpuCadenceMs: number;
  readonly stateDirectory: string;
  readonly simulatedInterfacesPath: string | null;
  readonly platform: NodeJS.Platform;
  /** Set: nothing is done to the power of this machine, and so everything can be. */
  readonly powerShimPath: string | null;
  /** What only root may is asked of a unit that an install made. */
  readonly asksHelper: boolean;
  readonly folders: { readonly windows: string; readonly programFiles: string };
}

export interface SensorDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How the child that runs `printGpuInventory` is started; by default Node with the built file. */
  readonly inventoryChild?: ChildCommand;
}

/** The sensors of one host. An engine's are opened per replica: `engineReadingSensor`. */
export interface Sensors {
  /** The cards' moving values: free to read, the child prints at its own cadence. */
  readonly gpus: Sensor<GpuReadings>;
  /** The cards themselves. Starts processes: at start and hourly. */
  readonly gpuInventory: Sensor<readonly GpuInventory[]>;
  readonly host: Sensor<HostReading>;
  /** For the slow lane. */
  readonly hostInventory: Sensor<HostFacts>;
  /** Who is at the machine, as of the last look. */
  sessions(): SessionFacts;
  /** Names of what others run on the cards, the largest first. Starts a process. Never rejects. */
  gpuProcesses(signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Opens the sensors; the GPU stream starts at once. */
export function openSensors(settings: SensorSettings, dependencies: SensorDependencies): Sensors {
  const { platform, stateDirectory } = settings;
  const { clock, random, logger } = dependencies;
  const stuck = stuckProcesses();
  const left = leftTools(stateDirectory, platform, logger);
  left.endLeft();
  const findTool = (): Promise<ToolSearch> =>
    findNvidiaSmi({
      configuredPath: settings.nvidiaSmiPath,
      platform,
      windowsDirectory: settings.folders.windows,
      programFiles: settings.folders.programFiles,
    });
  const shared = { platform, windowsDirectory: settings.folders.windows, stateDirectory, clock, logger };
  const gpus = openGpuStream({
    periodMs: settings.gpuCadenceMs,
    findTool,
    startTool: toolStarter(clock, left),
    listBusIds: (signal) => listBusIds({ findTool, stuck, signal, ...shared }),
    stuck,
    random,
    ...shared,
  });
  const gpuInventory = gpuInventorySensor({
    findTool,
    child: dependencies.inventoryChild ?? defaultInventoryChild(),
    stuck,
    ...shared,
  });
  const host = hostReadingSensor({ platform, dataDirectory: stateDirectory, clock });
  const sessions = new SessionWatch(shared);
  sessions.start();
  return {
    gpus,
    gpuInventory,
    host,
    sessions: () => sessions.facts,
    gpuProcesses: (signal) => listGpuProcesses({ findTool, stuck, ...shared }, signal),
    hostInventory: hostInventorySensor({
      ...shared,
      powerShimPath: settings.powerShimPath,
      helper: settings.asksHelper ? rootHelper() : null,
      simulatedInterfacesPath: settings.simulatedInterfacesPath,
    }),
    close: async () => {
      sessions.close();
      await Promise.all([gpus.close(), gpuInventory.close(), host.close()]);
    },
  };
}

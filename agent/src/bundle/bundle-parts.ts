import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.js';
import type { ContainerEngine } from '../containers/container-engine.js';
import type { HostFacts } from '../doctor/host-checks.js';
import type { CaptureRun } from '../identity/run-tool.js';
import { findNvidiaSmi } from '../sensors/gpu/find-nvidia-smi.js';
import { toolStarter } from '../sensors/gpu/tool-process.js';
import { hostInventorySensor } from '../sensors/host/host-inventory.js';
import type { AgentStatus } from '../status/agent-status.js';
import { askStatus } from '../status/status-socket.js';
import type { BundlePart } from './gather-bundle.js';
import { containersPart } from './parts/containers-part.js';
import { doctorPart } from './parts/doctor-part.js';
import { gpuPart } from './parts/gpu-part.js';
import { hostPart } from './parts/host-part.js';
import { recordsPart } from './parts/records-part.js';
import { servicePart } from './parts/service-part.js';
import { statusPart } from './parts/status-part.js';

export interface BundlePartsOptions {
  readonly config: AgentConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly engine: ContainerEngine;
  readonly readHost: () => Promise<HostFacts>;
  readonly capture: CaptureRun;
  readonly clock: Clock;
  readonly log: Logger;
}

const STATUS_TRIES = 3;

/** All that a bundle of this host holds, the most telling first: where it is too much, the last is left out. */
export function bundleParts(options: BundlePartsOptions): readonly BundlePart[] {
  const { config, environment, engine, readHost, capture, clock, log } = options;
  const { platform, stateDirectory, folders, nvidiaSmiPath, simulatedInterfacesPath } = config;
  let asked: Promise<AgentStatus | null> | null = null;
  const ask = (): Promise<AgentStatus | null> => {
    asked ??= askPatiently(() => askStatus(stateDirectory, platform));
    return asked;
  };
  const inventory = hostInventorySensor({
    ...{ platform, stateDirectory, simulatedInterfacesPath, clock, logger: log },
    ...{ windowsDirectory: folders.windows, powerShimPath: null, helper: null },
  });
  return [
    statusPart(ask),
    recordsPart({ config, environment }),
    doctorPart(readHost),
    gpuPart({
      findTool: () =>
        findNvidiaSmi({
          ...{ configuredPath: nvidiaSmiPath, platform },
          ...{ windowsDirectory: folders.windows, programFiles: folders.programFiles },
        }),
      // What an agent that runs has noted of its own tool stays as it is.
      startTool: toolStarter(clock, { started: () => undefined, ended: () => undefined }),
    }),
    containersPart({ engine, askStatus: ask, clock }),
    hostPart(inventory, platform),
    servicePart(config, capture),
  ];
}

/** An agent in trouble may take its time, and is the one that matters. */
async function askPatiently(ask: () => Promise<AgentStatus | null>): Promise<AgentStatus | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries === STATUS_TRIES) throw error;
    }
  }
}

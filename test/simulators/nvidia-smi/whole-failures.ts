import { DRIVERS } from './driver-generations.js';
import type { NvidiaSmiScenario } from './scenario.js';

export interface WholeFailure {
  readonly text: string;
  /** As NVML's return values: 4 permissions, 6 not found, 9 no driver, 12 no library, 15 lost, 18 mismatch. */
  readonly exitCode: number;
}

/** What the command says instead of answering at all, if it fails as a whole. Errors go to standard output. */
export function wholeFailure(scenario: NvidiaSmiScenario): WholeFailure | null {
  const version = DRIVERS[scenario.driver].versions[scenario.platform].split('.').slice(0, 2).join('.');
  const failures: Readonly<Record<string, WholeFailure>> = {
    version_mismatch: {
      text: `Failed to initialize NVML: Driver/library version mismatch\n${scenario.driver >= 535 ? `NVML library version: ${version}\n` : ''}`,
      exitCode: 18,
    },
    driver_not_loaded: {
      text: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n\n",
      exitCode: 9,
    },
    library_not_found: {
      text: "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display driver is properly installed and present in your system.\nPlease also try adding directory that contains libnvidia-ml.so to your system PATH.\n\n",
      exitCode: 12,
    },
    insufficient_permissions: {
      text: 'Failed to initialize NVML: Insufficient Permissions\n',
      exitCode: 4,
    },
    no_devices: { text: 'No devices were found\n', exitCode: 6 },
  };
  return failures[scenario.behaviour.kind] ?? null;
}

/** What a command says that starts while a card is lost. */
export function lostAtStart(busId: string): WholeFailure {
  return {
    text: `Unable to determine the device handle for GPU ${busId.slice(4)}: GPU is lost.  Reboot the system to recover this GPU\n\n`,
    exitCode: 15,
  };
}

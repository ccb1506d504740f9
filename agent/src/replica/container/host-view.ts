import type { GpuReading, HostReading } from '@ai-fabric/shared';
import type { HostView } from './kept-tools.js';

/** What is read of a host anyway. */
export interface ReadHost {
  readonly cardsAsked: Promise<void>;
  readings(): { readonly gpus: Readonly<Record<string, GpuReading>>; readonly host: HostReading };
}

/** The newest readings, as the plan for a container needs them. Nothing is measured for it. */
export function hostView(
  read: () => ReadHost,
): HostView & { /** Of the disk that holds the agent's state. */ systemDriveFreeBytes(): number | null } {
  return {
    cardsAsked: () => read().cardsAsked,
    memoryFreeBytes: () => {
      const { memoryTotalBytes, memoryUsedBytes } = read().readings().host;
      return memoryTotalBytes === null || memoryUsedBytes === null
        ? null
        : memoryTotalBytes - memoryUsedBytes;
    },
    systemDriveFreeBytes: () => {
      const { diskTotalBytes, diskUsedBytes } = read().readings().host;
      return diskTotalBytes === null || diskUsedBytes === null ? null : diskTotalBytes - diskUsedBytes;
    },
    vramUsedBytes: (card) => read().readings().gpus[card]?.vramUsedBytes ?? null,
  };
}

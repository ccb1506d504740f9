import type { GpuReading, HostReading } from '@ai-fabric/shared';
import type { HostView } from './kept-tools.js';

/** The newest readings, as the plan for a container needs them. Nothing is measured for it. */
export function hostView(
  readings: () => { readonly gpus: Readonly<Record<string, GpuReading>>; readonly host: HostReading },
): HostView {
  return {
    memoryFreeBytes: () => {
      const { memoryTotalBytes, memoryUsedBytes } = readings().host;
      return memoryTotalBytes === null || memoryUsedBytes === null
        ? null
        : memoryTotalBytes - memoryUsedBytes;
    },
    vramUsedBytes: (card) => readings().gpus[card]?.vramUsedBytes ?? null,
  };
}

import { spawnSync } from 'node:child_process';
import type { GpuInventory } from '@ai-fabric/shared';

const MIB = 1024 ** 2;

/** A card as `nvidia-smi` tells of it now. */
export interface NvidiaCard {
  readonly inventory: GpuInventory;
  readonly vramUsedBytes: number;
}

/** Empty where there is no `nvidia-smi`, or none that works. */
export function nvidiaCards(): readonly NvidiaCard[] {
  const fields = 'uuid,index,name,memory.total,memory.used,driver_version';
  const asked = spawnSync('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (asked.status !== 0) return [];
  return asked.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .flatMap(([uuid = '', index, name = '', total, used, driverVersion = '']) =>
      uuid.startsWith('GPU-')
        ? [
            {
              inventory: {
                ...{ uuid, index: Number(index), name, driverVersion, pciBusId: null, cudaVersion: null },
                ...{ vramTotalBytes: Number(total) * MIB, powerLimitWatts: null, migEnabled: null },
              },
              vramUsedBytes: Number(used) * MIB,
            },
          ]
        : [],
    );
}

import { emptyHostReading, type GpuReading, type Issue } from '@ai-fabric/shared';
import type { Sensors } from '../sensors/open-sensors.js';
import { reading, unavailable } from '../sensors/sensor.js';

const noGpu: Issue = {
  code: 'no_gpu',
  subject: 'host',
  severity: 'info',
  detail: 'This host has no NVIDIA card.',
  fix: null,
};

/** The sensors of a host that is always the same. @param cards readings by UUID; `null`: it has no card */
export function fakeSensors(cards: Record<string, GpuReading> | null = null): Sensors & { closed: boolean } {
  let reads = 0;
  const sensors = {
    closed: false,
    gpus: { read: () => Promise.resolve(cards === null ? unavailable(noGpu) : reading(cards)) },
    gpuInventory: { read: () => Promise.resolve(cards === null ? unavailable(noGpu) : reading([])) },
    host: {
      read: () => {
        reads += 1;
        return Promise.resolve(reading({ ...emptyHostReading, memoryUsedBytes: reads }));
      },
    },
    hostInventory: {
      read: () =>
        Promise.resolve(
          reading({
            os: 'linux' as const,
            osName: 'Debian',
            kernel: '6.1',
            architecture: 'x64',
            cpuModel: 'Ryzen',
            cpuThreads: 16,
            memoryTotalBytes: 1e10,
            bootId: 'boot',
            bootedAtMs: 1,
            interfaces: [],
          }),
        ),
    },
    sessions: () => ({ present: null, remoteSession: null }),
    gpuProcesses: () => Promise.resolve([]),
    close: () => {
      sensors.closed = true;
      return Promise.resolve();
    },
  };
  return sensors;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeNvidiaSmi } from './gpu/testing/fake-nvidia-smi.js';
import { isRunning } from './gpu/testing/is-running.js';
import { openSensors, type Sensors } from './open-sensors.js';
import { issuesOf } from './sensor.js';

const NEVER = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(nvidiaSmiPath: string): Promise<Sensors> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'open-sensors-'));
  const sensors = openSensors(
    {
      nvidiaSmiPath,
      gpuCadenceMs: 1_000,
      stateDirectory,
      powerShimPath: null,
      asksHelper: false,
      simulatedInterfacesPath: null,
      platform: process.platform,
      folders: { windows: 'C:\\Windows', programFiles: 'C:\\Program Files' },
    },
    { clock: systemClock(), random: Math.random, logger: pino({ level: 'silent' }) },
  );
  cleanups.push(async () => {
    await sensors.close();
    await rm(stateDirectory, { recursive: true, force: true });
  });
  return sensors;
}

describe('the sensors of a host', () => {
  // Node starts no script of Windows without a shell, and the stream uses none.
  it.skipIf(process.platform === 'win32')(
    'read its cards, and leave nothing behind',
    { timeout: 60_000 },
    async () => {
      const fake = await fakeNvidiaSmi({
        cards: [{ uuid: 'GPU-1', index: '0', 'pci.bus_id': '00000000:01:00.0', 'utilization.gpu': '50' }],
        xml: '<nvidia_smi_log><driver_version>580.95</driver_version><gpu><uuid>GPU-1</uuid></gpu></nvidia_smi_log>',
      });
      cleanups.push(fake.remove);
      const sensors = await open(fake.path);
      await vi.waitFor(
        async () =>
          expect(await sensors.gpus.read(NEVER)).toMatchObject({
            reading: { 'GPU-1': { utilisationRatio: 0.5 } },
          }),
        { timeout: 15_000 },
      );
      expect(await sensors.gpuInventory.read(NEVER)).toMatchObject({
        reading: [{ uuid: 'GPU-1', driverVersion: '580.95' }],
      });
      expect(await sensors.host.read(NEVER)).toMatchObject({ ok: true });
      expect(await sensors.hostInventory.read(NEVER)).toMatchObject({ ok: true });
      await sensors.close();
      await vi.waitFor(async () => expect((await fake.pids()).map(isRunning)).not.toContain(true), {
        timeout: 15_000,
      });
    },
  );

  it('name a path that was configured wrongly, and read the host all the same', async () => {
    const sensors = await open(join(tmpdir(), 'no-such-nvidia-smi'));
    await vi.waitFor(
      async () => {
        expect(issuesOf(await sensors.gpus.read(NEVER))).toMatchObject([{ code: 'gpu_tool_failed' }]);
      },
      { timeout: 15_000 },
    );
    expect(issuesOf(await sensors.gpuInventory.read(NEVER))).toMatchObject([{ code: 'gpu_tool_failed' }]);
    expect(await sensors.host.read(NEVER)).toMatchObject({ ok: true });
  });
});

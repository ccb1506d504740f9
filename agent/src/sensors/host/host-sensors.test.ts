import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostInventorySchema, hostReadingSchema, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostInventorySensor } from './host-inventory.js';
import { hostReadingSensor } from './host-reading.js';
import { procFile } from './proc-file.js';

const NEVER = new AbortController().signal;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'host-sensors-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('this machine', () => {
  const { platform } = process;

  it('is described in full, the same way twice', { timeout: 60_000 }, async () => {
    const sensor = hostInventorySensor({
      simulatedInterfacesPath: null,
      platform,
      windowsDirectory: 'C:\\Windows',
      stateDirectory: folder,
      powerShimPath: null,
      helper: null,
      clock: systemClock(),
      logger: pino({ level: 'silent' }),
    });
    const first = await sensor.read(NEVER);
    expect(first.ok && hostInventorySchema.safeParse({ ...first.reading, gpus: [] }).success).toBe(true);
    expect(await sensor.read(NEVER)).toEqual(first);
  });

  it('is read: shares between 0 and 1, memory and disk, no rate before the second reading', async () => {
    const sensor = hostReadingSensor({ platform, dataDirectory: folder, clock: systemClock() });
    expect(await sensor.read(NEVER)).toMatchObject({
      reading: { cpuRatio: null, networkSentBytesPerSecond: null },
    });
    const value = await vi.waitFor(
      async () => {
        const result = await sensor.read(NEVER);
        expect(result.ok && result.reading.diskTotalBytes).toBeGreaterThan(0);
        expect(result.ok && result.reading.cpuRatio).not.toBeNull();
        return result.ok ? result.reading : null;
      },
      { timeout: 10_000, interval: 50 },
    );
    expect(hostReadingSchema.safeParse(value).success).toBe(true);
    expect(value?.cpuRatio).toBeLessThanOrEqual(1);
    expect(value?.memoryUsedBytes ?? 0).toBeLessThan(value?.memoryTotalBytes ?? 0);
    expect(value?.diskUsedBytes ?? 0).toBeLessThanOrEqual(value?.diskTotalBytes ?? 0);
    await sensor.close();
    await sensor.close();
  });

  it('is read by built-ins where there is no /proc', async () => {
    const sensor = hostReadingSensor({ platform: 'win32', dataDirectory: folder, clock: systemClock() });
    const { reading } = (await sensor.read(NEVER)) as { reading: { memoryTotalBytes: number | null } };
    expect(reading.memoryTotalBytes).toBeGreaterThan(0);
    expect(reading).toMatchObject({ networkReceivedBytesPerSecond: null, networkSentBytesPerSecond: null });
  });
});

describe('a file of /proc', () => {
  it('is read from its start each time, up to its bound', async () => {
    const path = join(folder, 'counters');
    await writeFile(path, 'one two');
    const file = procFile(path, 16);
    expect(file.read()).toBe('one two');
    await writeFile(path, 'three');
    expect(file.read()).toBe('three');
    await writeFile(path, 'x'.repeat(100));
    expect(file.read()).toHaveLength(16);
    file.close();
    expect(file.read()).toHaveLength(16);
    file.close();
  });

  it('that is not there is nothing, until it is', async () => {
    const path = join(folder, 'later');
    const file = procFile(path, 16);
    expect(file.read()).toBeNull();
    await writeFile(path, 'now');
    expect(file.read()).toBe('now');
    file.close();
  });
});

import { existsSync } from 'node:fs';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { noGpu } from './decide/classify-tool-failure.js';
import { defaultInventoryChild, type GpuInventoryOptions, gpuInventorySensor } from './gpu-inventory.js';
import { stuckProcesses } from './stuck-processes.js';
import { type FakeBehaviour, type FakeNvidiaSmi, fakeNvidiaSmi } from './testing/fake-nvidia-smi.js';
import { isRunning } from './testing/is-running.js';

const NEVER = new AbortController().signal;
const removals: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const remove of removals.splice(0)) await remove();
});

const card = (uuid: string): string => `
  <gpu id="00000000:2D:00.0">
    <product_name>NVIDIA GeForce RTX 4070</product_name>
    <mig_mode><current_mig>N/A</current_mig></mig_mode>
    <uuid>${uuid}</uuid>
    <pci><pci_bus_id>00000000:2D:00.0</pci_bus_id></pci>
    <fb_memory_usage><total>12282 MiB</total></fb_memory_usage>
    <gpu_power_readings><current_power_limit>220.00 W</current_power_limit></gpu_power_readings>
    <module_power_readings><current_power_limit>N/A</current_power_limit></module_power_readings>
  </gpu>`;

const log = (...cards: string[]): string => `<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
  <driver_version>580.95.05</driver_version>
  <cuda_version>13.0</cuda_version>
  <attached_gpus>${cards.length}</attached_gpus>${cards.join('')}
</nvidia_smi_log>
`;

async function inventory(behaviour: FakeBehaviour, over: Partial<GpuInventoryOptions> = {}) {
  const fake: FakeNvidiaSmi = await fakeNvidiaSmi(behaviour);
  const sensor = gpuInventorySensor({
    findTool: () => Promise.resolve({ found: true, tool: { command: fake.path, leadingArgs: [] } }),
    child: defaultInventoryChild(),
    platform: process.platform,
    windowsDirectory: 'C:\\Windows',
    stuck: stuckProcesses(),
    clock: systemClock(),
    timeoutMs: 30_000,
    ...over,
  });
  removals.push(async () => {
    await sensor.close();
    await fake.remove();
  });
  return { fake, sensor };
}

describe('the inventory through node-nvidia-smi', () => {
  it('has its child among the built files', () => {
    expect(existsSync(defaultInventoryChild().args[0] ?? '')).toBe(true);
  });

  it('reads one card, with a PATH of nothing but the tool’s folder', async () => {
    const { fake, sensor } = await inventory({ xml: log(card('GPU-1')) });
    expect(await sensor.read(NEVER)).toEqual({
      ok: true,
      issues: [],
      reading: [
        {
          uuid: 'GPU-1',
          index: 0,
          name: 'NVIDIA GeForce RTX 4070',
          pciBusId: '0000:2d:00.0',
          vramTotalBytes: 12_282 * 1_048_576,
          powerLimitWatts: 220,
          driverVersion: '580.95.05',
          cudaVersion: '13.0',
          migEnabled: null,
        },
      ],
    });
    expect(await fake.starts()).toEqual(['-q -x']);
  });

  it('reads several cards', async () => {
    const { sensor } = await inventory({ xml: log(card('GPU-1'), card('GPU-2')) });
    const result = await sensor.read(NEVER);
    expect(result.ok && result.reading.map(({ uuid, index }) => [uuid, index])).toEqual([
      ['GPU-1', 0],
      ['GPU-2', 1],
    ]);
  });

  it('asks once for two readers at the same time', async () => {
    const { fake, sensor } = await inventory({ xml: log(card('GPU-1')) });
    const [one, two] = await Promise.all([sensor.read(NEVER), sensor.read(NEVER)]);
    expect(two).toBe(one);
    expect(await fake.starts()).toHaveLength(1);
  });

  it.each([
    [{ failure: { text: 'no', exitCode: 9 } }, 'driver_not_loaded'],
    [{ failure: { text: 'no', exitCode: 18 } }, 'driver_mismatch'],
    [{ failure: { text: 'no', exitCode: 15 } }, 'gpu_lost'],
    [{ failure: { text: 'no', exitCode: 77 } }, 'gpu_tool_failed'],
    [{ xml: 'this is <not XML' }, 'gpu_tool_failed'],
    [{ xml: '<html><body>hello</body></html>' }, 'gpu_tool_failed'],
    [{ xml: '' }, 'gpu_tool_failed'],
  ] as [FakeBehaviour, string][])('names a failure: %j is %s', async (behaviour, code) => {
    const { sensor } = await inventory(behaviour);
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false, issue: { code } });
  });

  it('kills a tool that hangs, and calls the driver hung', async () => {
    const stuck = stuckProcesses();
    const { fake, sensor } = await inventory({ hang: true }, { timeoutMs: 2_500, stuck });
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false, issue: { code: 'driver_hung' } });
    expect(stuck.any()).toBe(false);
    const [pid] = await fake.pids();
    expect(isRunning(pid as number)).toBe(false);
  });

  it('starts nothing beside a tool that hangs and cannot be killed', async () => {
    const stuck = stuckProcesses();
    stuck.add(() => false);
    const { fake, sensor } = await inventory({ xml: log(card('GPU-1')) }, { stuck });
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false, issue: { code: 'driver_hung' } });
    expect(await fake.starts()).toEqual([]);
  });

  it('passes on that there is no card', async () => {
    const { sensor } = await inventory(
      {},
      { findTool: () => Promise.resolve({ found: false, issue: noGpu('none') }) },
    );
    expect(await sensor.read(NEVER)).toMatchObject({ ok: false, issue: { code: 'no_gpu' } });
  });

  it('is broken off by its reader and by its closing', async () => {
    const { sensor } = await inventory({ hang: true });
    expect(await sensor.read(AbortSignal.timeout(200))).toMatchObject({
      ok: false,
      issue: { code: 'gpu_tool_failed' },
    });
    const pending = sensor.read(NEVER);
    await sensor.close();
    expect(await pending).toMatchObject({ ok: false });
  });

  it.each([
    [{ command: process.execPath, args: ['-e', 'console.log("nonsense")'] }, /unreadable/],
    [{ command: process.execPath, args: ['-e', ''] }, /nothing was said/],
    [{ command: '/does/not/exist', args: [] }, /could not be started: ENOENT/],
  ])('names a child that is not ours: %j', async (child, detail) => {
    const { sensor } = await inventory({}, { child });
    expect(await sensor.read(NEVER)).toMatchObject({
      ok: false,
      issue: { code: 'gpu_tool_failed', detail: expect.stringMatching(detail) },
    });
  });
});

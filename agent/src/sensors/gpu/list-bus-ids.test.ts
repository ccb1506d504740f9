import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { noGpu } from './decide/classify-tool-failure.js';
import { type BusIdListOptions, listBusIds } from './list-bus-ids.js';
import { stuckProcesses } from './stuck-processes.js';
import { type FakeNvidiaSmi, fakeNvidiaSmi } from './testing/fake-nvidia-smi.js';

const removals: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const remove of removals.splice(0)) await remove();
});

const card = (index: number) => ({
  uuid: `GPU-${index}`,
  index: String(index),
  'pci.bus_id': `0000:0${index}:00.0`,
});

async function list(lostBusId: string, over: Partial<BusIdListOptions> = {}) {
  const fake: FakeNvidiaSmi = await fakeNvidiaSmi({ cards: [0, 1, 2].map(card), lostBusId });
  removals.push(fake.remove);
  const found = await listBusIds({
    findTool: () => Promise.resolve({ found: true, tool: fake.tool }),
    driverFolder: join(tmpdir(), 'no-such-driver'),
    platform: process.platform,
    windowsDirectory: 'C:\\Windows',
    signal: new AbortController().signal,
    stuck: stuckProcesses(),
    clock: systemClock(),
    ...over,
  });
  return { found, fake };
}

describe('the cards of a host with a lost one', () => {
  it('are those that Linux’s driver lists', async () => {
    const fake = await fakeNvidiaSmi({});
    removals.push(fake.remove);
    const driverFolder = join(dirname(fake.path), 'gpus');
    await mkdir(join(driverFolder, '0000:0B:00.0'), { recursive: true });
    await mkdir(join(driverFolder, 'version'));
    const { found, fake: asked } = await list('', { driverFolder });
    expect(found).toEqual(['0000:0b:00.0']);
    expect(await asked.starts()).toEqual([]);
  });

  it.each([
    ['0000:00:00.0', ['0000:01:00.0', '0000:02:00.0']],
    ['0000:01:00.0', ['0000:00:00.0', '0000:02:00.0']],
    ['0000:02:00.0', ['0000:00:00.0', '0000:01:00.0']],
  ])('are asked for one by one where nothing lists them; %s is lost', async (lostBusId, others) => {
    const { found, fake } = await list(lostBusId);
    expect(found).toEqual(others);
    expect((await fake.starts()).length).toBeLessThanOrEqual(5);
  });

  it('are not asked for beside a tool that hangs, nor without a tool, nor when closing', async () => {
    const stuck = stuckProcesses();
    stuck.add(() => false);
    expect((await list('', { stuck })).found).toEqual([]);
    const findTool = () => Promise.resolve({ found: false as const, issue: noGpu('none') });
    expect((await list('', { findTool })).found).toEqual([]);
    expect((await list('', { signal: AbortSignal.abort() })).found).toEqual([]);
  });
});

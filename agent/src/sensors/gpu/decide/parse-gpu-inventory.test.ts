import { gpuInventorySchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGpuInventory } from './parse-gpu-inventory.js';

const UUID = 'GPU-7f2c0e11-90aa-4b52-8a3d-1f0f5a6b7c8d';
const MODULE = { power_readings: {}, current_power_limit: '999.00 W', power_limit: '999.00 W' };

function log(card: object, head: object = { driver_version: '535.98', cuda_version: '12.2' }): unknown {
  return { nvidia_smi_log: { timestamp: 'today', ...head, attached_gpus: '1', gpu: card } };
}

function card(over: object = {}): object {
  return {
    $: { id: '00000000:2D:00.0' },
    product_name: 'NVIDIA GeForce RTX 4070',
    uuid: UUID,
    minor_number: '7',
    mig_mode: { current_mig: 'N/A', pending_mig: 'N/A' },
    pci: { pci_bus: '2D', pci_bus_id: '00000000:2D:00.0' },
    fb_memory_usage: { total: '12282 MiB', reserved: '200 MiB', used: '1 MiB' },
    bar1_memory_usage: { total: '256 MiB' },
    ...over,
  };
}

const GENERATIONS: readonly [string, unknown, object][] = [
  [
    '418: no MIG, one block of power readings',
    log(
      card({
        mig_mode: undefined,
        power_readings: {
          power_limit: '130.00 W',
          enforced_power_limit: '125.00 W',
          max_power_limit: '140.00 W',
        },
      }),
      {
        driver_version: '418.43',
        cuda_version: '10.1',
      },
    ),
    { driverVersion: '418.43', cudaVersion: '10.1', powerLimitWatts: 125, migEnabled: null },
  ],
  [
    '470: MIG off on a server card',
    log(
      card({
        mig_mode: { current_mig: 'Disabled' },
        power_readings: { power_limit: '250.00 W', enforced_power_limit: '250.00 W' },
      }),
      {
        driver_version: '470.256.02',
        cuda_version: '11.4',
      },
    ),
    { driverVersion: '470.256.02', powerLimitWatts: 250, migEnabled: false },
  ],
  [
    '525: the enforced limit is not available',
    log(card({ power_readings: { enforced_power_limit: 'N/A', power_limit: '70.00 W' } })),
    { powerLimitWatts: 70 },
  ],
  [
    '535: the card’s block beside the module’s, which uses the same names',
    log(
      card({
        gpu_power_readings: { current_power_limit: '336.00 W', requested_power_limit: '320.00 W' },
        module_power_readings: MODULE,
      }),
    ),
    { powerLimitWatts: 336 },
  ],
  [
    '535: a card without a limit does not borrow the module’s',
    log(card({ gpu_power_readings: { current_power_limit: 'N/A' }, module_power_readings: MODULE })),
    { powerLimitWatts: null },
  ],
  [
    '570: MIG on',
    log(
      card({
        mig_mode: { current_mig: 'Enabled' },
        gpu_power_readings: { average_power_draw: '1 W', current_power_limit: '700.00 W' },
      }),
      {
        driver_version: '570.124.04',
        cuda_version: '12.8',
      },
    ),
    { driverVersion: '570.124.04', cudaVersion: '12.8', powerLimitWatts: 700, migEnabled: true },
  ],
  [
    '580: the memory’s block of power readings is not the card’s',
    log(
      card({
        gpu_memory_power_readings: { current_power_limit: '5.00 W' },
        gpu_power_readings: { current_power_limit: '220.00 W' },
      }),
    ),
    { powerLimitWatts: 220 },
  ],
  [
    '610: new names for the versions, limits one level deeper',
    log(
      card({
        gpu_power_readings: {
          instant_power_draw: '30 W',
          power_limits_ceiling: { current_power_limit: '575.00 W' },
        },
        module_power_readings: { power_limits_ceiling: MODULE },
      }),
      {
        driver_version: '610.43.02 [Deprecated; use kmd_version]',
        kmd_version: '610.43.02',
        cuda_version: 'Deprecated, see "CUDA UMD version" instead',
        cuda_umd_version: '13.3',
      },
    ),
    { driverVersion: '610.43.02', cudaVersion: '13.3', powerLimitWatts: 575 },
  ],
  [
    '610: only the deprecated names',
    log(card(), { driver_version: '610.43.02 [Deprecated; …]', cuda_version: '13.3 [Deprecated; …]' }),
    { driverVersion: '610.43.02', cudaVersion: '13.3' },
  ],
  [
    'elements with attributes',
    log(
      card({
        product_name: { _: 'NVIDIA T4', $: { deprecated: 'no' } },
        fb_memory_usage: { total: { _: '15360 MiB', $: {} } },
      }),
    ),
    { name: 'NVIDIA T4', vramTotalBytes: 15_360 * 1_048_576 },
  ],
  [
    'Windows: no minor number, WDDM',
    log(card({ minor_number: 'N/A', driver_model: { current_dm: 'WDDM' } }), {
      driver_version: '591.86',
      cuda_version: '13.1',
    }),
    { index: 0, driverVersion: '591.86' },
  ],
  [
    'unified memory: the card has none of its own',
    log(card({ fb_memory_usage: { total: 'N/A' } })),
    { vramTotalBytes: null },
  ],
];

describe('the inventory of the cards', () => {
  it.each(GENERATIONS)('is read from driver %s', (_, data, expected) => {
    const parsed = parseGpuInventory(data);
    expect(parsed?.gpus).toHaveLength(1);
    expect(parsed?.gpus[0]).toMatchObject({ uuid: UUID, ...expected });
    expect(gpuInventorySchema.safeParse(parsed?.gpus[0]).success).toBe(true);
  });

  it('has every field of a plain card', () => {
    expect(parseGpuInventory(log(card({ gpu_power_readings: { current_power_limit: '220.00 W' } })))).toEqual(
      {
        gpus: [
          {
            uuid: UUID,
            index: 0,
            name: 'NVIDIA GeForce RTX 4070',
            pciBusId: '0000:2d:00.0',
            vramTotalBytes: 12_282 * 1_048_576,
            powerLimitWatts: 220,
            driverVersion: '535.98',
            cudaVersion: '12.2',
            migEnabled: null,
          },
        ],
        skipped: 0,
      },
    );
  });

  it('takes several cards as an array, in the order of their index', () => {
    const parsed = parseGpuInventory(log([card(), card({ uuid: 'GPU-2' }), card({ uuid: 'GPU-3' })]));
    expect(parsed?.gpus.map(({ uuid, index }) => [uuid, index])).toEqual([
      [UUID, 0],
      ['GPU-2', 1],
      ['GPU-3', 2],
    ]);
  });

  it('leaves out a lost card and keeps the index of the next one', () => {
    const parsed = parseGpuInventory(log([card(), card({ uuid: 'GPU is lost' }), card({ uuid: 'GPU-3' })]));
    expect(parsed?.skipped).toBe(1);
    expect(parsed?.gpus.map(({ index }) => index)).toEqual([0, 2]);
  });

  it('falls back to the card’s own address', () => {
    expect(parseGpuInventory(log(card({ pci: undefined })))?.gpus[0]?.pciBusId).toBe('0000:2d:00.0');
  });

  it.each([
    ['no card at all', { nvidia_smi_log: { driver_version: '535.98', attached_gpus: '0' } }],
    ['an empty card', { nvidia_smi_log: { gpu: '' } }],
    ['an empty list', { nvidia_smi_log: { gpu: [] } }],
    ['cards that are words', { nvidia_smi_log: { gpu: ['', 'x'] } }],
  ])('is empty for %s', (_, data) => {
    expect(parseGpuInventory(data)).toEqual({ gpus: [], skipped: 0 });
  });

  it.each([[null], [undefined], [''], ['<xml/>'], [[]], [{}], [{ nvidia_smi_log: '' }], [{ html: {} }], [7]])(
    'is refused when it is no log: %j',
    (data) => {
      expect(parseGpuInventory(data)).toBeNull();
    },
  );

  it('never throws and always fits the wire, whatever the log holds', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('N/A', '12 MiB', '5.0 W', UUID, null, undefined),
      fc.integer(),
    );
    const names = [
      'uuid',
      'pci',
      'pci_bus_id',
      'fb_memory_usage',
      'total',
      'gpu_power_readings',
      'current_power_limit',
      'mig_mode',
      'product_name',
      '_',
      '$',
    ];
    const { node } = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(node, node, (gpu, any) => {
        parseGpuInventory(any);
        const data = parseGpuInventory(
          log([{ uuid: UUID, ...(typeof gpu === 'object' ? gpu : {}) }, gpu] as object),
        );
        for (const parsed of data?.gpus ?? [])
          expect(gpuInventorySchema.safeParse(parsed).success).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

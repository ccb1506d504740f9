import { emptyGpuReading, type GpuReading, gpuReadingSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGpuCsvLine } from './parse-gpu-csv-line.js';
import { planQueryFields, type QueryField } from './plan-query-fields.js';

const FIELDS = planQueryFields(new Set()) as readonly QueryField[];
const A = 'GPU-7f2c0e11-90aa-4b52-8a3d-1f0f5a6b7c8d';
const MIB = 1_048_576;

/** uuid, index, bus, temp, memory temp, gpu %, memory %, total, used, watts, limit, sm, mem, fan, pstate, reasons */
const GENERATIONS: readonly [string, string, Partial<GpuReading>][] = [
  [
    '470, a Kepler card that knows little',
    `${A}, 0, 00000000:01:00.0, 51, N/A, [Not Supported], [Not Supported], 2002, 310, [Not Supported], [Not Supported], [Not Supported], [Not Supported], 30, P8, [Not Supported]`,
    {
      temperatureCelsius: 51,
      vramTotalBytes: 2002 * MIB,
      vramUsedBytes: 310 * MIB,
      fanRatio: 0.3,
      performanceState: 'P8',
    },
  ],
  [
    '525, a server card without a fan',
    `${A}, 3, 00000000:3B:00.0, 28, N/A, 0, 0, 15360, 2, 9.87, 70.00, 300, 405, [N/A], P8, 0x0000000000000001`,
    {
      temperatureCelsius: 28,
      utilisationRatio: 0,
      memoryUtilisationRatio: 0,
      vramTotalBytes: 15360 * MIB,
      vramUsedBytes: 2 * MIB,
      powerWatts: 9.87,
      powerLimitWatts: 70,
      smClockMhz: 300,
      memoryClockMhz: 405,
      performanceState: 'P8',
      clocksEventReasonsMask: 1,
    },
  ],
  [
    '535, a laptop card that hides its limit',
    `${A}, 0, 00000000:01:00.0, 64, N/A, 97, 41, 6144, 5810, 79.31, [N/A], 1702, 6000, [N/A], P0, 0x0000000000000004`,
    {
      temperatureCelsius: 64,
      utilisationRatio: 0.97,
      memoryUtilisationRatio: 0.41,
      vramTotalBytes: 6144 * MIB,
      vramUsedBytes: 5810 * MIB,
      powerWatts: 79.31,
      smClockMhz: 1702,
      memoryClockMhz: 6000,
      performanceState: 'P0',
      clocksEventReasonsMask: 4,
    },
  ],
  [
    '570, Windows, a desktop under load',
    `${A}, 0, 00000000:0C:00.0, 45, N/A, 29, 3, 12282, 11011, 97.43, 220.00, 2055, 10501, 38, P2, 0x0000000000000000\r`,
    {
      temperatureCelsius: 45,
      utilisationRatio: 0.29,
      memoryUtilisationRatio: 0.03,
      vramTotalBytes: 12282 * MIB,
      vramUsedBytes: 11011 * MIB,
      powerWatts: 97.43,
      powerLimitWatts: 220,
      smClockMhz: 2055,
      memoryClockMhz: 10501,
      fanRatio: 0.38,
      performanceState: 'P2',
      clocksEventReasonsMask: 0,
    },
  ],
  [
    '590, a card cut into MIG instances: no utilisation by design',
    `${A}, 0, 00000000:09:00.0, 42, 48, [N/A], [N/A], 81559, 59, 71.15, 700.00, 345, 2619, [N/A], P0, 0x0000000000000001`,
    {
      temperatureCelsius: 42,
      memoryTemperatureCelsius: 48,
      vramTotalBytes: 81559 * MIB,
      vramUsedBytes: 59 * MIB,
      powerWatts: 71.15,
      powerLimitWatts: 700,
      smClockMhz: 345,
      memoryClockMhz: 2619,
      performanceState: 'P0',
      clocksEventReasonsMask: 1,
    },
  ],
  [
    '610, unified memory: the card has none of its own',
    `${A}, 0, 0000000F:01:00.0, 44, N/A, 12, 0, [N/A], [N/A], 11.20, [N/A], 2418, [N/A], [N/A], P0, 0x0000000000000000`,
    {
      temperatureCelsius: 44,
      utilisationRatio: 0.12,
      memoryUtilisationRatio: 0,
      powerWatts: 11.2,
      smClockMhz: 2418,
      performanceState: 'P0',
      clocksEventReasonsMask: 0,
    },
  ],
  [
    'with units in spite of nounits',
    `${A}, 0, 00000000:01:00.0, 40, N/A, 7 %, 3 %, 8192 MiB, 702 MiB, 38.92 W, 250.00 W, 300 MHz, 405 MHz, 37 %, P8, 0x0000000000000001`,
    {
      temperatureCelsius: 40,
      utilisationRatio: 0.07,
      memoryUtilisationRatio: 0.03,
      vramTotalBytes: 8192 * MIB,
      vramUsedBytes: 702 * MIB,
      powerWatts: 38.92,
      powerLimitWatts: 250,
      smClockMhz: 300,
      memoryClockMhz: 405,
      fanRatio: 0.37,
      performanceState: 'P8',
      clocksEventReasonsMask: 1,
    },
  ],
];

describe('a line of nvidia-smi', () => {
  it.each(GENERATIONS)('is read from driver %s', (_, line, expected) => {
    const row = parseGpuCsvLine(line, FIELDS);
    expect(row?.uuid).toBe(A);
    expect(row?.lost).toBe(false);
    expect(row?.reading).toEqual({ ...emptyGpuReading, ...expected });
  });

  it.each(GENERATIONS)('fits the wire, from driver %s', (_, line) => {
    expect(gpuReadingSchema.safeParse(parseGpuCsvLine(line, FIELDS)?.reading).success).toBe(true);
  });

  it('fills only the columns that were asked for', () => {
    const fields: QueryField[] = [
      { name: 'uuid', column: 'uuid' },
      { name: 'utilization.gpu', column: 'utilisationRatio' },
    ];
    expect(parseGpuCsvLine(`${A}, 57`, fields)).toEqual({
      uuid: A,
      index: null,
      busId: null,
      lost: false,
      reading: { ...emptyGpuReading, utilisationRatio: 0.57 },
    });
  });

  it('gives every whole percentage as an exact ratio', () => {
    const fields: QueryField[] = [
      { name: 'uuid', column: 'uuid' },
      { name: 'utilization.gpu', column: 'utilisationRatio' },
    ];
    for (let percent = 0; percent <= 100; percent += 1) {
      expect(parseGpuCsvLine(`${A}, ${percent}`, fields)?.reading.utilisationRatio).toBe(
        Number((percent / 100).toFixed(2)),
      );
    }
  });

  it('takes an implausible value for none', () => {
    const line = `${A}, 0, 00000000:01:00.0, 4294967295, 65535, 101, -1, 99999999999, 0, 4294967295, 250, 4294967295, 405, 4294967295, P8, 0x1`;
    const reading = parseGpuCsvLine(line, FIELDS)?.reading;
    expect(reading).toMatchObject({
      temperatureCelsius: null,
      memoryTemperatureCelsius: null,
      utilisationRatio: null,
      memoryUtilisationRatio: null,
      vramTotalBytes: null,
      vramUsedBytes: 0,
      powerWatts: null,
      smClockMhz: null,
      fanRatio: null,
    });
  });
});

describe('a lost card', () => {
  const gone = Array.from({ length: 13 }, () => '[GPU is lost]').join(', ');

  it('is still named by its UUID where the driver remembers it', () => {
    const row = parseGpuCsvLine(`${A}, 1, 00000000:0B:00.0, ${gone}`, FIELDS);
    expect(row).toMatchObject({
      uuid: A,
      index: 1,
      busId: '0000:0b:00.0',
      lost: true,
      reading: emptyGpuReading,
    });
  });

  it('is named by its place where the driver forgot its UUID', () => {
    const row = parseGpuCsvLine(`[GPU is lost], 1, 00000000:0B:00.0, ${gone}`, FIELDS);
    expect(row).toMatchObject({ uuid: null, index: 1, busId: '0000:0b:00.0', lost: true });
  });

  it('is no row when nothing names it', () => {
    expect(parseGpuCsvLine(`[GPU is lost], [GPU is lost], [GPU is lost], ${gone}`, FIELDS)).toBeNull();
  });
});

describe('a line that is no row', () => {
  it.each([
    '',
    'No devices were found',
    'Failed to initialize NVML: Driver/library version mismatch',
    'uuid, index, pci.bus_id, temperature.gpu',
    `${A}, 0`,
    `${A}, 0, 00000000:01:00.0, 51, N/A, 1, 1, 2002, 310, 1, 1, 1, 1, 30, P8, 0x1, surplus`,
    `not-a-uuid, 0, 00000000:01:00.0, 51, N/A, 1, 1, 2002, 310, 1, 1, 1, 1, 30, P8, 0x1`,
    ', , , , , , , , , , , , , , , ',
  ])('%j is refused', (line) => {
    expect(parseGpuCsvLine(line, FIELDS)).toBeNull();
  });

  it('never throws and never leaves the wire’s limits, whatever the line holds', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('[N/A]', '0', '99', 'ERR!', A, '0xff'),
      fc.double().map(String),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (values) => {
        const row = parseGpuCsvLine(values.join(', '), FIELDS);
        if (row) expect(gpuReadingSchema.safeParse(row.reading).success).toBe(true);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: FIELDS.length - 1, maxLength: FIELDS.length - 1 }),
        (values) => {
          const row = parseGpuCsvLine(
            [A, ...values.map((text) => text.replaceAll(',', ';'))].join(','),
            FIELDS,
          );
          expect(row?.uuid).toBe(A);
          expect(gpuReadingSchema.safeParse(row?.reading).success).toBe(true);
        },
      ),
    );
  });
});

import { emptyGpuReading, emptyHostReading, type TelemetrySample } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKFILLED, BITS, type Bucket, emptyBucket, fieldAt, mergeBucket, SAMPLES } from './bucket.js';
import { decodeBucket, encodeBucket } from './bucket-codec.js';
import { HostRollUp } from './host-roll-up.js';
import type { RollUp } from './open-stretch.js';
import { telemetryFields } from './telemetry-fields.js';
import { tiers } from './tiers.js';

const START_MS = Math.ceil(1.7e12 / tiers[2].stepMs) * tiers[2].stepMs;
const WATTS = telemetryFields.gpu.indexOf('powerWatts');

interface Reading {
  readonly atMs: number;
  readonly watts: number | null;
  readonly mask: number | null;
  readonly backfilled: boolean;
}

const readings = fc.uniqueArray(
  fc.record({
    atMs: fc.integer({ min: START_MS, max: START_MS + tiers[2].stepMs - 1 }),
    watts: fc.option(
      fc.oneof(fc.integer({ min: 0, max: 600 }), fc.double({ min: 0, max: 1e12, noNaN: true })),
    ),
    mask: fc.option(fc.integer({ min: 0, max: 0x1ff })),
    backfilled: fc.boolean(),
  }),
  { selector: ({ atMs }) => atMs, minLength: 1, maxLength: 80 },
);

function sampleOf({ atMs, watts, mask }: Reading): TelemetrySample {
  const card = { ...emptyGpuReading, powerWatts: watts, clocksEventReasonsMask: mask };
  return { atMs, host: emptyHostReading, gpus: { card }, replicas: {} };
}

/** Every minute and every part of one, in whatever order they came and were closed. */
function rollUp(all: readonly Reading[], closeAfter: (index: number) => boolean): RollUp[] {
  const host = new HostRollUp();
  const parts: (RollUp | null)[] = [];
  all.forEach((reading, index) => {
    parts.push(host.take(sampleOf(reading), reading.backfilled));
    if (closeAfter(index)) parts.push(...host.close(reading.atMs, 0));
  });
  parts.push(...host.close(0, Number.NEGATIVE_INFINITY));
  return parts.filter((part) => part !== null);
}

/** As the registry keeps it: each part merged into what is stored, packed and unpacked each time. */
function store(parts: readonly RollUp[], stepMs: number): Map<number, Bucket> {
  const rows = new Map<number, Uint8Array>();
  for (const { startMs, series } of parts) {
    const bucketMs = Math.floor(startMs / stepMs) * stepMs;
    for (const { kind, bucket } of series) {
      if (kind !== 'gpu') continue;
      const before = rows.get(bucketMs);
      const whole = before ? decodeBucket(before, bucketMs, telemetryFields.gpu.length) : emptyBucket(11);
      mergeBucket(whole, bucket);
      rows.set(bucketMs, encodeBucket(whole, bucketMs));
    }
  }
  return new Map([...rows].map(([bucketMs, row]) => [bucketMs, decodeBucket(row, bucketMs, 11)]));
}

function summary(bucket: Bucket | undefined) {
  if (!bucket) return null;
  const [count = 0, sum = 0, min = 0, max = 0, last = 0] = bucket.subarray(
    fieldAt(WATTS),
    fieldAt(WATTS + 1),
  );
  return {
    ...{ samples: bucket[SAMPLES], backfilled: bucket[BACKFILLED], bits: bucket[BITS], count },
    values: count === 0 ? null : { sum, min, max, last },
  };
}

function bruteForce(all: readonly Reading[]) {
  const inOrder = [...all].sort((a, b) => a.atMs - b.atMs);
  const values = inOrder.flatMap(({ watts }) => (watts === null ? [] : [watts]));
  const masks = inOrder.flatMap(({ mask }) => (mask === null ? [] : [mask]));
  return {
    samples: all.length,
    backfilled: all.filter(({ backfilled }) => backfilled).length,
    bits: masks.length === 0 ? -1 : masks.reduce((one, other) => one | other),
    count: values.length,
    values:
      values.length === 0
        ? null
        : {
            sum: values.reduce((one, other) => one + other),
            min: Math.min(...values),
            max: Math.max(...values),
            last: values.at(-1) ?? 0,
          },
  };
}

function expectSame(found: ReturnType<typeof summary>, expected: ReturnType<typeof bruteForce>): void {
  const { values, ...rest } = expected;
  expect(found).toMatchObject(rest);
  if (values === null) expect(found?.values).toBeNull();
  else {
    const { sum, ...others } = values;
    expect(found?.values).toMatchObject(others);
    expect(Math.abs((found?.values?.sum ?? Number.NaN) - sum)).toBeLessThanOrEqual(Math.abs(sum) * 1e-9);
  }
}

describe('a roll-up', () => {
  it.each(tiers)('in steps of $name is what a plain count gives, whatever the order of arrival', (tier) => {
    fc.assert(
      fc.property(readings, fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }), (all, closes) => {
        const stored = store(
          rollUp(all, (index) => closes[index] ?? false),
          tier.stepMs,
        );
        const buckets = new Map<number, Reading[]>();
        for (const reading of all) {
          const bucketMs = Math.floor(reading.atMs / tier.stepMs) * tier.stepMs;
          buckets.set(bucketMs, [...(buckets.get(bucketMs) ?? []), reading]);
        }
        expect([...stored.keys()].sort()).toEqual([...buckets.keys()].sort());
        for (const [bucketMs, own] of buckets) expectSame(summary(stored.get(bucketMs)), bruteForce(own));
      }),
    );
  });

  it('in coarse steps is the finer ones together', () => {
    fc.assert(
      fc.property(readings, (all) => {
        const parts = rollUp(all, () => false);
        const together = emptyBucket(11);
        for (const bucket of store(parts, tiers[0].stepMs).values()) mergeBucket(together, bucket);
        const [coarse] = store(parts, tiers[2].stepMs).values();
        const expected = summary(together);
        if (!expected) throw new Error('nothing was merged');
        expectSame(summary(coarse), { ...expected } as ReturnType<typeof bruteForce>);
      }),
    );
  });
});

describe('a stored bucket', () => {
  const anyNumber = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.integer({ min: -10_000, max: 10_000 }).map((value) => value / 100),
    fc.maxSafeInteger(),
  );

  it('gives every number back as it was', () => {
    fc.assert(
      fc.property(fc.array(anyNumber, { minLength: 1, maxLength: 30 }), (values) => {
        const bucket = emptyBucket(2);
        bucket[SAMPLES] = values.length;
        const at = fieldAt(1);
        bucket.set(
          [values.length, 0.5, Math.min(...values), Math.max(...values), values.at(-1) ?? 0, START_MS],
          at,
        );
        bucket[3] = START_MS + 5;
        const back = decodeBucket(encodeBucket(bucket, START_MS), START_MS, 2);
        const constant = Math.min(...values) === Math.max(...values);
        expect([...back.subarray(at + 2)]).toEqual([...bucket.subarray(at + 2)].map((value) => value + 0));
        if (!constant) expect(back[at + 1]).toBe(0.5);
      }),
    );
  });

  it('of a program with fewer fields lacks the new ones', () => {
    const old = emptyBucket(1);
    old[SAMPLES] = 1;
    old[3] = START_MS;
    const back = decodeBucket(encodeBucket(old, START_MS), START_MS, 3);
    expect(back).toEqual(Object.assign(emptyBucket(3), { [SAMPLES]: 1, 3: START_MS }));
  });
});

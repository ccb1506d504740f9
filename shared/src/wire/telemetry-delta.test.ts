import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TelemetrySample, telemetryDeltaSchema } from '../domain/telemetry.js';
import {
  applyTelemetryDelta,
  diffTelemetry,
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
} from './telemetry-delta.js';

const measured = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 0, max: 9 }),
  fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
);

function reading<Reading extends object>(empty: Reading): fc.Arbitrary<Reading> {
  const fields = Object.keys(empty).map((key) => [
    key,
    key === 'performanceState' ? fc.constantFrom(null, 'P0', 'P8') : measured,
  ]);
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true }) as fc.Arbitrary<Reading>;
}

/** Few names, so that cards and replicas come and go; some that every object inherits a property for. */
const name = fc.constantFrom('a', 'b', 'constructor', 'toString', 'GPU-1');
const deploymentName = fc.constantFrom('a', 'b', 'constructor', 'chat');
const sample: fc.Arbitrary<TelemetrySample> = fc.record(
  {
    atMs: fc.integer({ min: 0, max: 1e13 }),
    host: reading(emptyHostReading),
    gpus: fc.dictionary(name, reading(emptyGpuReading), { maxKeys: 3, noNullPrototype: true }),
    replicas: fc.dictionary(deploymentName, reading(emptyEngineReading), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  },
  { noNullPrototype: true },
);

describe('telemetry differences', () => {
  it('bring a receiver from any sample to any other', () => {
    fc.assert(
      fc.property(fc.option(sample), sample, (before, after) => {
        expect(applyTelemetryDelta(before, diffTelemetry(before, after))).toEqual(after);
      }),
    );
  });

  it('chain over any number of samples sent as JSON, as the schema reads them', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 6 }), (samples) => {
        let sender: TelemetrySample | null = null;
        let receiver: TelemetrySample | null = null;
        for (const next of samples) {
          const sent: unknown = JSON.parse(JSON.stringify(diffTelemetry(sender, next)));
          receiver = applyTelemetryDelta(receiver, telemetryDeltaSchema.parse(sent));
          sender = next;
          expect(receiver).toEqual(next);
        }
      }),
    );
  });

  it('say nothing but the time of a sample that equals the one before it', () => {
    fc.assert(
      fc.property(sample, (before) => {
        const after = { ...structuredClone(before), atMs: before.atMs + 1 };
        expect(diffTelemetry(before, after)).toStrictEqual({ atMs: after.atMs });
      }),
    );
  });

  it('leave what they are applied to as it was', () => {
    fc.assert(
      fc.property(sample, sample, (before, after) => {
        const kept = structuredClone(before);
        applyTelemetryDelta(before, diffTelemetry(before, after));
        expect(before).toEqual(kept);
      }),
    );
  });

  it('share what they do not change with the sample before it', () => {
    const before = applyTelemetryDelta(null, { atMs: 1, gpus: { g: {} }, replicas: { r: {} } });
    const after = applyTelemetryDelta(before, { atMs: 2, host: { cpuRatio: 0.5 } });
    expect(after.gpus).toBe(before.gpus);
    expect(after.replicas).toBe(before.replicas);
  });

  it('make a field that was never sent null, not 0', () => {
    const after = applyTelemetryDelta(null, { atMs: 5, gpus: { 'GPU-1': { powerWatts: 20 } } });
    expect(after.host.cpuRatio).toBeNull();
    expect(after.gpus['GPU-1']).toStrictEqual({ ...emptyGpuReading, powerWatts: 20 });
  });

  it('take an undefined field as unchanged', () => {
    const before = applyTelemetryDelta(null, { atMs: 1, host: { cpuRatio: 0.5 } });
    const after = applyTelemetryDelta(before, { atMs: 2, host: { cpuRatio: undefined } });
    expect(after.host.cpuRatio).toBe(0.5);
  });

  it('never write through to the prototype of every object', () => {
    const hostile = JSON.parse('{"atMs":1,"gpus":{"__proto__":{"powerWatts":666}}}') as unknown;
    const after = applyTelemetryDelta(null, telemetryDeltaSchema.parse(hostile));
    expect(Object.getPrototypeOf(after.gpus)).toBe(Object.prototype);
    expect(({} as { powerWatts?: number }).powerWatts).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gpuReadingSchema } from '../domain/gpu.js';
import { hostReadingSchema } from '../domain/host.js';
import { engineReadingSchema } from '../domain/replica.js';
import { agentFrameSchema } from './frames.js';
import { MAX_SAMPLES_PER_REPORT } from './limits.js';
import { takePlainReport } from './plain-report.js';

const report = (body: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
  id: 'r1',
  type: 'report',
  sentAtMs: 1_700_000_000_000,
  body,
  ...more,
});
const sample = {
  atMs: 1_700_000_000_000.5,
  host: { cpuRatio: 0.5, diskUsedBytes: null },
  gpus: { 'GPU-1': { powerWatts: 120.5, utilisationRatio: null }, 'GPU-2': null },
  replicas: { 'qwen-motoko': { running: 3 }, gone: null },
};
const plain = report({ seq: 7, telemetry: [sample, { atMs: 2 }] });

describe('a report of telemetry alone', () => {
  it('is taken as it came', () => {
    expect(takePlainReport(plain)).toBe(plain);
    expect(agentFrameSchema.parse(plain)).toEqual(plain);
  });

  it.each([
    ['has another field', report({ seq: 1, telemetry: [], issues: [] })],
    ['has no telemetry', report({ seq: 1 })],
    ['has an unknown field in its envelope', report({ seq: 1, telemetry: [] }, { more: 1 })],
    ['has no id', report({ seq: 1, telemetry: [] }, { id: '' })],
    ['has too long an id', report({ seq: 1, telemetry: [] }, { id: 'x'.repeat(65) })],
    ['is another type', report({ seq: 1, telemetry: [] }, { type: 'outcome' })],
    ['was sent at no time', report({ seq: 1, telemetry: [] }, { sentAtMs: null })],
    ['has no number', report({ seq: 0, telemetry: [] })],
    ['has half a number', report({ seq: 1.5, telemetry: [] })],
    ['has a list as its body', report([])],
    ['has too many samples', report({ seq: 1, telemetry: Array(MAX_SAMPLES_PER_REPORT + 1).fill(sample) })],
    ['has a sample of no time', report({ seq: 1, telemetry: [{ host: {} }] })],
    ['has a sample with an unknown field', report({ seq: 1, telemetry: [{ atMs: 1, fans: {} }] })],
    ['has an unknown reading', report({ seq: 1, telemetry: [{ atMs: 1, host: { fans: 1 } }] })],
    ['has a reading that is text', report({ seq: 1, telemetry: [{ atMs: 1, host: { cpuRatio: '1' } }] })],
    ['has an endless reading', report({ seq: 1, telemetry: [{ atMs: 1, host: { cpuRatio: Infinity } }] })],
    ['has no host', report({ seq: 1, telemetry: [{ atMs: 1, host: null }] })],
    ['has a list of cards', report({ seq: 1, telemetry: [{ atMs: 1, gpus: [] }] })],
    ['has too long a card', report({ seq: 1, telemetry: [{ atMs: 1, gpus: { ['x'.repeat(81)]: {} } }] })],
    [
      'has a text of a card',
      report({ seq: 1, telemetry: [{ atMs: 1, gpus: { a: { performanceState: 'P8' } } }] }),
    ],
    ['has a replica of a bad name', report({ seq: 1, telemetry: [{ atMs: 1, replicas: { 'A b': {} } }] })],
    [
      'has a replica of too long a name',
      report({ seq: 1, telemetry: [{ atMs: 1, replicas: { ['x'.repeat(64)]: {} } }] }),
    ],
    [
      'would change a prototype',
      JSON.parse(
        '{"id":"r","type":"report","sentAtMs":1,"body":{"seq":1,"telemetry":[{"atMs":1,"gpus":{"__proto__":{}}}]}}',
      ),
    ],
    ['is no object', null],
    ['is a text', 'report'],
  ])('that %s is left to the schemas', (_what, frame) => {
    expect(takePlainReport(frame)).toBeNull();
  });
});

describe('whatever comes', () => {
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const fields = (known: readonly string[]) =>
    fc.dictionary(fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...known) }, fc.string()), value, {
      maxKeys: 5,
    });
  const key = fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom('qwen', 'a', 'b.c', 'GPU-1', 'x'.repeat(63)) },
    fc.string({ maxLength: 90 }),
  );
  const readings = (known: readonly string[]) =>
    fc.dictionary(key, fc.oneof({ weight: 6, arbitrary: fields(known) }, fc.constant(null)), { maxKeys: 3 });
  const samples = fc.array(
    fc.record(
      {
        atMs: fc.oneof({ weight: 20, arbitrary: fc.double({ noNaN: true }) }, fc.jsonValue()),
        host: fields(Object.keys(hostReadingSchema.shape)),
        gpus: readings(Object.keys(gpuReadingSchema.shape)),
        replicas: readings(Object.keys(engineReadingSchema.shape)),
      },
      { requiredKeys: ['atMs'] },
    ),
    { maxLength: 3 },
  );
  const body = fc.record({
    seq: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1 }) }, fc.double()),
    telemetry: samples,
  });

  it('is taken only where the schemas take it, and as they do', () => {
    let taken = 0;
    fc.assert(
      fc.property(body, (told) => {
        const frame = report(told);
        const result = takePlainReport(frame);
        if (result === null) return;
        taken += 1;
        expect(agentFrameSchema.safeParse(frame)).toEqual({ success: true, data: result });
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(200);
  });
});

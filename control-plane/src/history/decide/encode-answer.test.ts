import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PointState, TelemetryAnswer } from '../telemetry-answer.js';
import { encodeAnswer } from './encode-answer.js';
import { nameThrottleReasons } from './name-throttle-reasons.js';
import type { SeriesColumns } from './point-table.js';
import { type SeriesKind, telemetryFields } from './telemetry-fields.js';

const COUNT = 4;
const STATES: readonly PointState[] = ['reporting', 'asleep', 'away', 'silent'];

function decoded(answer: TelemetryAnswer) {
  return JSON.parse(new TextDecoder().decode(encodeAnswer(answer)));
}

function answerOf(columns: readonly SeriesColumns[], states = STATES): TelemetryAnswer {
  const grid = { startMs: 1_764_432_000_000, stepMs: 60_000, count: COUNT };
  return {
    ...{ host: 'armitage "2"', fromMs: 1, toMs: 2, grid, resolution: '1m', states, columns },
    notes: ['a "note"'],
    stretches: [{ kind: 'asleep', fromMs: 1, toMs: 2, reason: 'suspend' }],
  };
}

function series(kind: SeriesKind): fc.Arbitrary<SeriesColumns> {
  const column = (value: fc.Arbitrary<number>) =>
    fc.array(value, { minLength: COUNT, maxLength: COUNT }).map((values) => Float64Array.from(values));
  return fc.subarray([...telemetryFields[kind]]).chain((fields) => {
    const values = fc.option(fc.tuple(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), fc.nat(100)), {
      freq: 3,
    });
    return fc.record({
      kind: fc.constant(kind),
      name: kind === 'host' ? fc.constant('') : fc.string({ minLength: 1, unit: 'grapheme' }),
      samples: column(fc.nat(2)),
      backfilled: column(fc.nat(1)),
      bits: column(fc.integer({ min: -1, max: 0x3ff })),
      fields: fc.constant(fields),
      values: fc
        .array(values, { minLength: COUNT * fields.length, maxLength: COUNT * fields.length })
        .map((all) =>
          Float64Array.from(
            all.flatMap((some) =>
              some ? [some[0], some[0] - some[1], some[0] + some[1], some[0]] : new Array(4).fill(Number.NaN),
            ),
          ),
        ),
    });
  });
}

/** In the plain way, of objects. */
function expectedPoints({ grid, columns, states }: TelemetryAnswer) {
  const host = columns.find(({ kind }) => kind === 'host');
  const present = (kind: SeriesKind, point: number) =>
    columns.filter((each) => each.kind === kind && each.fields.length > 0 && (each.samples[point] ?? 0) > 0);
  return Array.from({ length: grid.count }, (_, point) => ({
    atMs: grid.startMs + point * grid.stepMs,
    state: states[point],
    samples: host?.samples[point] ?? 0,
    backfilled: (host?.backfilled[point] ?? 0) > 0,
    host: host && (host.samples[point] ?? 0) > 0 ? valuesAt(host, point) : null,
    gpus: Object.fromEntries(
      present('gpu', point).map((card) => {
        const mask = card.bits[point] ?? -1;
        const throttleReasons = mask < 0 ? null : nameThrottleReasons(mask);
        return [card.name, { values: valuesAt(card, point), throttleReasons }];
      }),
    ),
    replicas: Object.fromEntries(present('replica', point).map((each) => [each.name, valuesAt(each, point)])),
  }));
}

function valuesAt({ fields, values }: SeriesColumns, point: number) {
  return Object.fromEntries(
    fields.map((field, index) => {
      const [avg, min, max, last] = [...values.slice((point * fields.length + index) * 4)].map(rounded);
      return [field, { avg, min, max, last }];
    }),
  );
}

function rounded(value: number): number | null {
  if (Number.isNaN(value)) return null;
  return (Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : Math.round(value)) + 0;
}

describe('an answer as JSON', () => {
  const all = fc
    .tuple(
      fc.option(series('host')),
      fc.uniqueArray(series('gpu'), { maxLength: 3, selector: ({ name }) => name }),
      fc.uniqueArray(series('replica'), { maxLength: 3, selector: ({ name }) => name }),
    )
    .map(([host, gpus, replicas]) => [...(host ? [host] : []), ...gpus, ...replicas]);

  it('has what plain objects of the same columns have', () => {
    fc.assert(
      fc.property(all, fc.shuffledSubarray([...STATES], { minLength: COUNT }), (columns, states) => {
        const answer = answerOf(columns, states);
        expect(decoded(answer).points).toEqual(expectedPoints(answer));
      }),
    );
  });

  it('of nothing that was kept has its points all the same', () => {
    const { points, ...head } = decoded(answerOf([]));
    expect(head).toEqual({
      ...{ host: 'armitage "2"', fromMs: 1, toMs: 2, stepMs: 60_000, resolution: '1m', notes: ['a "note"'] },
      stretches: [{ kind: 'asleep', fromMs: 1, toMs: 2, reason: 'suspend' }],
    });
    expect(points).toHaveLength(COUNT);
    expect(points[1]).toEqual({
      ...{ atMs: 1_764_432_060_000, state: 'asleep', samples: 0, backfilled: false },
      ...{ host: null, gpus: {}, replicas: {} },
    });
  });
});

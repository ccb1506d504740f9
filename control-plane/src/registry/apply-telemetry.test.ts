import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addSample, addValue, emptyBucket } from '../history/decide/bucket.js';
import { PointTable } from '../history/decide/point-table.js';
import { selectFields } from '../history/decide/select-fields.js';
import { telemetryFields } from '../history/decide/telemetry-fields.js';
import { type Tier, tiers } from '../history/decide/tiers.js';
import { TelemetryTables } from './apply-telemetry.js';
import { readTelemetry } from './read-telemetry.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import type { TelemetryMinute } from './registry-types.js';
import { enrolled, TemporaryRegistry } from './testing/temporary-registry.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW_MS = Math.floor(1.75e12 / DAY_MS) * DAY_MS;

let place: TemporaryRegistry;
let database: RegistryDatabase;
let tables: TelemetryTables;
let hostId: string;

beforeEach(async () => {
  place = new TemporaryRegistry();
  const registry = place.open();
  hostId = enrolled(registry).hostId;
  await place.close();
  database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'normal' });
  tables = new TelemetryTables(database.raw);
});
afterEach(async () => {
  database.close();
  await place.remove();
});

/** One sample at the beginning of a minute. */
function minute(seq: number, atMs: number, of: Partial<TelemetryMinute> = {}): TelemetryMinute {
  const bucket = emptyBucket(telemetryFields.host.length);
  addSample(bucket, atMs, false, -1);
  addValue(bucket, 0, atMs, 0.5);
  const series = [{ kind: 'host' as const, name: '', bucket }];
  return { kind: 'telemetryMinute', hostId, atMs, runId: 'run-1', seq, series, ...of };
}

function apply(nowMs: number, ...minutes: TelemetryMinute[]): void {
  database.write(() => tables.apply(minutes, nowMs));
}

function samplesIn(tier: Tier, fromMs: number, count = 1): number[] {
  const fields = selectFields('host');
  if (!fields.ok) throw new Error(fields.detail);
  const grid = { startMs: fromMs, stepMs: tier.stepMs, count };
  const { columns } = readTelemetry(database.raw, {
    ...{ hostId, grid, runId: 'run-1', waiting: [] },
    ...{ tier: tier.name, fields: fields.selection },
  });
  return [...(columns[0]?.samples ?? [])];
}

function rowCount(): number {
  return database.raw.prepare('SELECT count(*) FROM telemetry_buckets').pluck().get() as number;
}

function pruneAll(nowMs: number, chunk: number): number {
  let calls = 0;
  for (let key: number | null = 0; key !== null; calls += 1) {
    const from: number = key;
    key = database.write(() => tables.prune(from, nowMs, chunk));
  }
  return calls;
}

describe('minutes that are written', () => {
  it('are in every resolution, and add up in the coarse ones', () => {
    apply(NOW_MS, minute(1, NOW_MS - 3 * MINUTE_MS), minute(2, NOW_MS - 2 * MINUTE_MS));
    expect(samplesIn(tiers[0], NOW_MS - 3 * MINUTE_MS, 3)).toEqual([1, 1, 0]);
    expect(samplesIn(tiers[1], NOW_MS - tiers[1].stepMs)).toEqual([2]);
    expect(samplesIn(tiers[2], NOW_MS - tiers[2].stepMs)).toEqual([2]);
  });

  it('are left out where a resolution does not reach back so far', () => {
    apply(NOW_MS, minute(1, NOW_MS - 20 * DAY_MS), minute(2, NOW_MS - 3 * DAY_MS));
    expect(rowCount()).toBe(3);
    expect(samplesIn(tiers[2], NOW_MS - 20 * DAY_MS)).toEqual([1]);
    expect(samplesIn(tiers[1], NOW_MS - 3 * DAY_MS)).toEqual([1]);
  });

  it('count once though they are handed over twice, but not when they are another run’s', () => {
    apply(NOW_MS, minute(1, NOW_MS), minute(2, NOW_MS));
    apply(NOW_MS, minute(2, NOW_MS), minute(3, NOW_MS));
    expect(samplesIn(tiers[0], NOW_MS)).toEqual([3]);
    apply(NOW_MS, minute(1, NOW_MS, { runId: 'run-2' }));
    expect(samplesIn(tiers[0], NOW_MS)).toEqual([4]);
    expect([tables.writtenSeq('run-1'), tables.writtenSeq('run-2')]).toEqual([0, 1]);
  });

  it('of a host that is gone are passed over', () => {
    apply(NOW_MS, minute(1, NOW_MS, { hostId: 'gone' }), minute(2, NOW_MS));
    expect(rowCount()).toBe(3);
  });

  it('are found again when the transaction that named their series was undone', () => {
    const failing = () =>
      database.write(() => {
        tables.apply([minute(1, NOW_MS)], NOW_MS);
        throw new Error('disk full');
      });
    expect(failing).toThrow();
    tables.forgetSeries();
    apply(NOW_MS, minute(2, NOW_MS));
    expect(samplesIn(tiers[0], NOW_MS)).toEqual([1]);
  });
});

describe('a chart of what is written', () => {
  it('has every number back, whatever bytes the rows are of, with gaps and over several chunks', () => {
    const count = 1_200;
    const fields = telemetryFields.gpu.length;
    const minutes: TelemetryMinute[] = [];
    let seed = 1;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let index = 0; index < count; index += 1) {
      if (index % 100 < 3 || (index > 500 && index < 560)) continue;
      const bucket = emptyBucket(fields);
      const atMs = NOW_MS - (count - index) * MINUTE_MS;
      for (let sample = 0; sample < 3; sample += 1) {
        addSample(bucket, atMs + sample * 1_000, false, index & 0xff);
        for (let field = 0; field < fields; field += 1) {
          const scale = [1, 256, 65_536, 2 ** 32][field % 4] ?? 1;
          if (next() > 0.2)
            addValue(
              bucket,
              field,
              atMs + sample * 1_000,
              (next() - 0.5) * scale * (next() > 0.5 ? 1 : 1e-9),
            );
        }
      }
      const series = [{ kind: 'gpu' as const, name: 'GPU-1', bucket }];
      minutes.push(minute(index + 1, atMs, { series }));
    }
    apply(NOW_MS, ...minutes);
    const selected = selectFields('gpu.powerWatts,gpu.vramUsedBytes,gpu.fanRatio');
    if (!selected.ok) throw new Error(selected.detail);
    const { selection } = selected;
    const grid = { startMs: NOW_MS - count * MINUTE_MS, stepMs: MINUTE_MS, count };
    const { columns } = readTelemetry(database.raw, {
      ...{ hostId, grid, runId: 'run-1', waiting: [], tier: tiers[0].name, fields: selection },
    });
    const table = new PointTable(grid, selection);
    for (const { atMs, series } of minutes) {
      for (const { kind, name, bucket } of series) table.add(kind, name, atMs, bucket);
    }
    const rows = database.raw.prepare('SELECT data FROM telemetry_buckets').pluck().all() as Buffer[];
    expect(new Set(rows.flatMap((row) => [...row])).size).toBe(256);
    const [card] = columns.filter(({ kind }) => kind === 'gpu');
    const [expected] = table.columns();
    expect([card?.samples, card?.bits, card?.fields]).toEqual([
      expected?.samples,
      expected?.bits,
      expected?.fields,
    ]);
    const means = [...(expected?.values ?? [])];
    // Sums are cleared of rounding when they are packed.
    means.forEach((value, at) => {
      if (Number.isNaN(value)) expect(card?.values[at]).toBeNaN();
      else if (at % 4 === 0) expect(card?.values[at]).toBeCloseTo(value, 3);
      else expect(card?.values[at]).toBe(value);
    });
  });
});

describe('rows that are too old', () => {
  it('make room for new ones, a few at a time', () => {
    for (let index = 0; index < 20; index += 1) apply(NOW_MS, minute(index + 1, NOW_MS + index * MINUTE_MS));
    const before = rowCount();
    apply(NOW_MS + 2 * DAY_MS, minute(21, NOW_MS + 2 * DAY_MS));
    expect(rowCount()).toBe(before + 3 - 8);
  });

  it('of hosts that no longer report are deleted in chunks, what is kept stays', () => {
    for (let index = 0; index < 20; index += 1) apply(NOW_MS, minute(index + 1, NOW_MS + index * MINUTE_MS));
    expect(pruneAll(NOW_MS + 2 * DAY_MS, 5)).toBeGreaterThan(4);
    expect(samplesIn(tiers[0], NOW_MS, 20)).toEqual(new Array(20).fill(0));
    expect(samplesIn(tiers[1], NOW_MS, 2)).toEqual([10, 10]);
    pruneAll(NOW_MS + 401 * DAY_MS, 5);
    expect(rowCount()).toBe(0);
  });

  it('are all of a host that was removed', () => {
    apply(NOW_MS, minute(1, NOW_MS), minute(2, NOW_MS + MINUTE_MS));
    database.raw.prepare('DELETE FROM hosts').run();
    pruneAll(NOW_MS, 2);
    expect(rowCount()).toBe(0);
  });
});

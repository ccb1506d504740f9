import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RequestTables } from './apply-requests.js';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import { unpackUsage } from './decide/usage-table.js';
import { RequestPruner } from './prune-requests.js';
import { readRequest, readRequestPage } from './read-requests.js';
import { readUsage as readUsageTable } from './read-usage.js';
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.js';
import {
  REQUEST_OUTCOMES,
  type RequestFilter,
  type RequestRow,
  USAGE_DIMENSIONS,
  type UsageQuery,
} from './request-types.js';
import { requestRow } from './testing/request-rows.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';

const START_MS = Date.UTC(2026, 2, 1);

let place: TemporaryRegistry;
let database: RegistryDatabase;
let tables: RequestTables;
let batchId = 0;

beforeEach(async () => {
  place = new TemporaryRegistry();
  place.open();
  await place.close();
  database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'normal' });
  tables = new RequestTables(database.raw);
});
afterEach(async () => {
  database.close();
  await place.remove();
});

const readUsage = (raw: RegistryDatabase['raw'], query: UsageQuery) =>
  unpackUsage(readUsageTable(raw, query));

function write(rows: readonly RequestRow[], id?: number): void {
  batchId += 1;
  database.write(() => tables.apply(rows, { runId: 'run', batchId: id ?? batchId }));
}

/** All pages after each other, as sequences. */
function pages(filter: RequestFilter, limit: number): number[] {
  const found: number[] = [];
  let beforeSequence: number | undefined;
  for (let page = 0; page < 100; page += 1) {
    const { rows, nextSequence } = readRequestPage(database.raw, { ...filter, limit, beforeSequence });
    expect(rows.length).toBeLessThanOrEqual(limit);
    found.push(...rows.map((row) => row.sequence));
    if (nextSequence === null) return found;
    beforeSequence = nextSequence;
  }
  throw new Error('the pages have no end');
}

const name = fc.constantFrom('a', 'b', 'c', '');
const anyRow = fc
  .record({
    endedAtMs: fc.integer({ min: START_MS, max: START_MS + 3 * DAY_MS }),
    ...{ key: name, role: name, host: name, target: name },
    outcome: fc.constantFrom(...REQUEST_OUTCOMES),
    attempts: fc.integer({ min: 0, max: 4 }),
    promptTokens: fc.option(fc.nat(9_000)),
    totalMs: fc.nat(90_000),
    ttftMs: fc.option(fc.nat(9_000)),
  })
  .map(requestRow);
const anyFilter: fc.Arbitrary<RequestFilter> = fc.record(
  {
    ...{ role: name, key: name, host: fc.constantFrom('a', 'nobody') },
    failed: fc.boolean(),
    fromMs: fc.integer({ min: START_MS, max: START_MS + 3 * DAY_MS }),
    toMs: fc.integer({ min: START_MS, max: START_MS + 3 * DAY_MS }),
  },
  { requiredKeys: [] },
);

describe('the pages of the request log', () => {
  it('hold each row that fits once, newest first, though the clock jumped about', () => {
    const rows = fc.sample(anyRow, { numRuns: 300 });
    for (let start = 0; start < rows.length; start += 50) write(rows.slice(start, start + 50));
    fc.assert(
      fc.property(anyFilter, fc.integer({ min: 15, max: 90 }), (filter, limit) => {
        const expected = rows.flatMap((row, index) => (fits(row, filter) ? [index + 1] : [])).reverse();
        expect(pages(filter, limit)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it('go on where nothing was found within the bound', () => {
    write([requestRow({ key: 'rare' })]);
    const many = Array.from({ length: 500 }, () => requestRow());
    for (let batch = 0; batch < 25; batch += 1) write(many);
    const first = readRequestPage(database.raw, { key: 'rare', limit: 10 });
    expect(first).toMatchObject({ rows: [], nextSequence: 2_502, newestSequence: 12_501 });
    expect(pages({ key: 'rare' }, 10)).toEqual([1]);
  });

  it('are followed oldest first, telling up to where it was looked', () => {
    write([1, 2, 3].map((each) => requestRow({ requestId: `r${each}`, role: each === 2 ? 'b' : 'a' })));
    const page = readRequestPage(database.raw, { role: 'a', afterSequence: 1, limit: 10 });
    expect(page).toMatchObject({ rows: [{ requestId: 'r3' }], newestSequence: 3, nextSequence: null });
    const full = readRequestPage(database.raw, { afterSequence: 0, limit: 2 });
    expect(full).toMatchObject({ rows: [{ sequence: 1 }, { sequence: 2 }], newestSequence: 2 });
    expect(readRequestPage(database.raw, { afterSequence: 3, limit: 2 })).toMatchObject({
      ...{ rows: [], newestSequence: 3 },
    });
  });

  it('are followed on from where they end, by one who knows of more: an older registry was restored', () => {
    write([requestRow(), requestRow()]);
    expect(readRequestPage(database.raw, { afterSequence: 9_000, limit: 2 })).toMatchObject({
      ...{ rows: [], newestSequence: 2 },
    });
  });
});

function fits(
  row: RequestRow,
  { role, key, host, failed, fromMs = 0, toMs = Infinity }: RequestFilter,
): boolean {
  const named = [
    [role, row.role],
    [key, row.key],
    [host, row.host],
  ].every(([wanted, is]) => wanted === undefined || wanted === is);
  const isFailed = !['ok', 'client_gone', 'check_refused'].includes(row.outcome);
  return named && (failed !== true || isFailed) && row.endedAtMs >= fromMs && row.endedAtMs < toMs;
}

describe('a row of the request log', () => {
  it('comes back as it was told, found by its request id among thousands', () => {
    const rows = Array.from({ length: 9_000 }, (_, index) => requestRow({ requestId: `id-${index}` }));
    const considered = [
      { target: 'qwen', verdict: 'chosen', costSeconds: 0.25 },
      { target: 'llama', verdict: 'host_away', costSeconds: null },
    ];
    const rounds = [{ reason: 'least_cost', considered, failure: null }];
    const told = requestRow({ requestId: 'wanted', cachedTokens: 3, status: null, ttftMs: null, rounds });
    write([told, ...rows]);
    expect(readRequest(database.raw, { requestId: 'wanted' })).toEqual({
      ...told,
      ...{ sequence: 1, consideredCount: 2 },
    });
    expect(readRequest(database.raw, { requestId: 'id-8999' })).toMatchObject({
      sequence: 9_001,
      rounds: null,
    });
    expect(readRequest(database.raw, { requestId: 'nobody' })).toBeNull();
  });

  it('counts a target once, however many rounds looked at it', () => {
    const considered = [
      { target: 'qwen', verdict: 'not_ready', costSeconds: null },
      { target: 'openai/strong', verdict: 'cloud_not_allowed', costSeconds: null },
    ];
    const rounds = ['held_loading', 'not_ready'].map((reason) => ({ reason, considered, failure: null }));
    write([requestRow({ requestId: 'held', attempts: 0, outcome: 'refused', rounds })]);
    expect(readRequest(database.raw, { requestId: 'held' })).toMatchObject({ consideredCount: 2, rounds });
  });

  it('is the latest where clients use an id again', () => {
    write([requestRow({ requestId: 'same' }), requestRow({ requestId: 'same', role: 'later' })]);
    expect(readRequest(database.raw, { requestId: 'same' })).toMatchObject({ role: 'later' });
  });

  it('takes less than 400 bytes, roll-ups and explanation included', () => {
    const bytes = (): number => Number(database.raw.pragma('page_count', { simple: true })) * 4096;
    const row = requestRow({ requestId: 'x'.repeat(128), promptTokens: 1e6, totalMs: 3_600_000 });
    const before = bytes();
    for (let batch = 0; batch < 20; batch += 1) {
      write(
        Array.from({ length: 100 }, (_, index) => ({
          ...row,
          requestId: `${batch}-${index}`.padEnd(128, 'x'),
        })),
      );
    }
    expect((bytes() - before) / 2_000).toBeLessThan(400);
  });

  it('is written once, though its batch is sent twice, and not at all with a batch that was undone', () => {
    const row = requestRow({ role: 'new-name' });
    const undone = (): void =>
      database.write(() => {
        tables.apply([row], { runId: 'run', batchId: 900 });
        throw new Error('the disk is full');
      });
    expect(undone).toThrow();
    tables.forgetNames();
    write([row], 900);
    write([row], 900);
    expect(readRequestPage(database.raw, { limit: 10 }).rows).toMatchObject([{ role: 'new-name' }]);
  });
});

describe('the roll-ups', () => {
  it('add up to the rows, by hour and by day, in every dimension', () => {
    const all = fc.sample(anyRow, { numRuns: 300 });
    for (let start = 0; start < all.length; start += 37) write(all.slice(start, start + 37));
    const rows = all.filter(({ outcome }) => outcome !== 'check_refused');
    for (const by of USAGE_DIMENSIONS) {
      for (const [per, bucketMs] of [
        ['hour', HOUR_MS],
        ['day', DAY_MS],
      ] as const) {
        const read = readUsage(database.raw, {
          ...{ by, per, fromMs: START_MS, toMs: START_MS + 4 * DAY_MS, limit: 10_000, after: null },
        });
        for (const { bucketStartMs, name: named, ...sums } of read) {
          const inBucket = rows.filter(
            (row) => row[by] === named && Math.floor(row.endedAtMs / bucketMs) * bucketMs === bucketStartMs,
          );
          expect(sums).toMatchObject({
            requests: inBucket.length,
            interrupted: inBucket.filter((row) => row.outcome === 'interrupted').length,
            promptTokens: inBucket.reduce((sum, row) => sum + (row.promptTokens ?? 0), 0),
            maxTotalMs: Math.max(...inBucket.map((row) => row.totalMs)),
            ttftCount: inBucket.filter((row) => row.ttftMs !== null).length,
          });
        }
        expect(read.reduce((sum, { requests }) => sum + requests, 0)).toBe(rows.length);
      }
    }
  });

  it('are read whole up to the limit, however many they are', () => {
    const names = Array.from({ length: 600 }, (_, index) => `role-${index}`);
    write(names.map((role) => requestRow({ role, endedAtMs: START_MS })));
    const query = { by: 'role', per: 'hour', fromMs: START_MS, toMs: START_MS + 1 } as const;
    for (const limit of [1, 255, 256, 257, 512, 600, 601, 10_000]) {
      const read = readUsage(database.raw, { ...query, limit, after: null });
      expect(read.map(({ name }) => name)).toEqual(names.slice(0, limit));
    }
  });

  it('are read page by page', () => {
    write(['a', 'b', 'c'].map((role) => requestRow({ role, endedAtMs: START_MS })));
    const query = { by: 'role', per: 'hour', fromMs: START_MS, toMs: START_MS + 1 } as const;
    const [first, second] = readUsage(database.raw, { ...query, limit: 2, after: null });
    expect([first?.name, second?.name]).toEqual(['a', 'b']);
    const after = { bucketStartMs: START_MS, nameId: second?.nameId ?? 0 };
    expect(readUsage(database.raw, { ...query, limit: 2, after })).toMatchObject([{ name: 'c' }]);
  });
});

describe('old rows', () => {
  it('are forgotten oldest first, a chunk at a time, up to the first that stays', () => {
    const pruner = new RequestPruner(database.raw, {
      ...{ rowsMs: DAY_MS, maxRows: 600, trailsMs: HOUR_MS, hoursMs: 2 * DAY_MS, daysMs: 4 * DAY_MS },
    });
    const rounds = [{ reason: 'host_away', considered: [], failure: 'reset' }];
    const rows = (endedAtMs: number, count: number): RequestRow[] =>
      Array.from({ length: count }, () => requestRow({ endedAtMs, rounds }));
    write([...rows(START_MS, 450), ...rows(START_MS + 3 * DAY_MS, 400), ...rows(START_MS, 10)]);
    const nowMs = START_MS + 3.5 * DAY_MS;
    const prune = (): boolean => database.write(() => pruner.prune(nowMs));
    const count = (table: string): unknown =>
      database.raw.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect([prune(), count('requests'), count('request_trails')]).toEqual([true, 460, 460]);
    while (prune());
    expect([count('requests'), count('request_trails')]).toEqual([410, 0]);
    expect(count('usage_hours')).toBe(4);
    expect(count('usage_days')).toBe(8);
    write(rows(START_MS + 3.5 * DAY_MS, 400));
    while (prune());
    expect(count('requests')).toBe(600);
  });

  it('are looked for behind some batches, and behind each while there may be more', () => {
    const pruner = new RequestPruner(database.raw, {
      ...{ rowsMs: DAY_MS, maxRows: 100_000, trailsMs: HOUR_MS, hoursMs: 2 * DAY_MS, daysMs: 4 * DAY_MS },
    });
    const nowMs = START_MS + 3 * DAY_MS;
    const left = (): unknown => {
      database.write(() => pruner.pruneAfterBatch(nowMs));
      return database.raw.prepare('SELECT count(*) FROM requests').pluck().get();
    };
    left();
    write(Array.from({ length: 1_000 }, () => requestRow({ endedAtMs: START_MS })));
    const seen = Array.from({ length: 11 }, left);
    expect(seen).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 600, 200, 0, 0, 0]);
  });
});

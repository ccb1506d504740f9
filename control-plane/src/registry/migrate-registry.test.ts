import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackUsage } from './decide/usage-table.js';
import { judgeSchema, migrateRegistry } from './migrate-registry.js';
import { readUsage } from './read-usage.js';
import { openRegistryDatabase } from './registry-database.js';
import { USAGE_DIMENSIONS } from './request-types.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';

const migrations = fileURLToPath(new URL('../../../migrations', import.meta.url));
const HOUR_MS = 3_600_000;
const FIRST_HOUR = 494_000;

let place: TemporaryRegistry;

beforeEach(() => {
  place = new TemporaryRegistry();
  mkdirSync(place.directory);
});
afterEach(() => place.remove());

/** The migrations that an earlier program knew. */
function migrationsUpTo(count: number): string {
  const folder = join(place.parent, 'migrations');
  cpSync(migrations, folder, { recursive: true });
  const journalFile = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(journalFile, 'utf8')) as { entries: unknown[] };
  writeFileSync(journalFile, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return folder;
}

describe('a registry that is made', () => {
  it('on a disk without room says so, and is made when there is some', () => {
    const database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'full' });
    database.raw.pragma('max_page_count = 10');
    expect(() => migrateRegistry(database)).toThrow(expect.objectContaining({ code: 'registry_full' }));
    database.raw.pragma('max_page_count = 100000');
    migrateRegistry(database);
    const { applied, known } = judgeSchema(database);
    expect(applied).toBe(known);
    database.close();
  });
});

describe('a registry of an earlier program', () => {
  it('keeps its sums when they move under one key', () => {
    const database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'full' });
    migrateRegistry(database, migrationsUpTo(3));
    database.raw.exec("INSERT INTO request_names (id, name) VALUES (1, 'a'), (20001, 'b')");
    for (const table of ['usage_hours', 'usage_days']) {
      const insert = database.raw.prepare(
        `INSERT INTO ${table} VALUES (?, ?, ?, 5, 0, 1, 0, 0, 0, 2, 100, 50, 25, 900, 400, 30, 80, 4)`,
      );
      // In the order in which requests came, not in that of the keys.
      for (const name of [20_001, 1]) {
        for (const bucket of [FIRST_HOUR + 1, FIRST_HOUR]) {
          for (const dimension of USAGE_DIMENSIONS.keys()) insert.run(bucket, dimension, name);
        }
      }
    }
    migrateRegistry(database);
    const ask = { fromMs: 0, toMs: 9e15, limit: 100, after: null };
    for (const by of USAGE_DIMENSIONS) {
      const hours = unpackUsage(readUsage(database.raw, { ...ask, by, per: 'hour' }));
      expect(hours.map(({ bucketStartMs, name }) => [bucketStartMs / HOUR_MS, name])).toEqual([
        [FIRST_HOUR, 'a'],
        [FIRST_HOUR, 'b'],
        [FIRST_HOUR + 1, 'a'],
        [FIRST_HOUR + 1, 'b'],
      ]);
      expect(hours[0]).toMatchObject({ requests: 6, ok: 5, refused: 1, retries: 2, promptTokens: 100 });
      expect(hours[0]).toMatchObject({
        totalMs: 900,
        maxTotalMs: 400,
        queueMs: 30,
        ttftMs: 80,
        ttftCount: 4,
      });
      expect(unpackUsage(readUsage(database.raw, { ...ask, by, per: 'day' }))).toHaveLength(4);
    }
    database.close();
  });
});

import Database from 'better-sqlite3';
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as hostLifeSchema from './host-life-schema.js';
import * as keysSchema from './keys-schema.js';
import * as learnedSchema from './learned-schema.js';
import * as powerSchema from './power-schema.js';
import * as requestsSchema from './requests-schema.js';
import * as schema from './schema.js';
import * as telemetrySchema from './telemetry-schema.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';
import * as writeJournalSchema from './write-journal-schema.js';

let place: TemporaryRegistry;

beforeEach(() => {
  place = new TemporaryRegistry();
});
afterEach(() => place.remove());

describe('the migrations', () => {
  it('make the tables that the program expects (else: npm run migrations in control-plane)', () => {
    place.open();
    const raw = new Database(place.file, { readonly: true });
    const made = raw.prepare('SELECT name, "notnull" FROM pragma_table_info(?) ORDER BY name').raw();
    const areas = {
      ...{ ...schema, ...hostLifeSchema, ...keysSchema, ...learnedSchema },
      ...{ ...powerSchema, ...requestsSchema, ...telemetrySchema, ...writeJournalSchema },
    };
    for (const table of Object.values(areas) as SQLiteTable[]) {
      const { name, columns, indexes } = getTableConfig(table);
      const expected = columns.map((column): unknown[] => [column.name, column.notNull ? 1 : 0]);
      expect([name, made.all(name)]).toEqual([name, expected.toSorted()]);
      const indexNames = raw
        .prepare("SELECT name FROM pragma_index_list(?) WHERE origin = 'c' ORDER BY name")
        .pluck()
        .all(name);
      expect(indexNames).toEqual(indexes.map((index) => index.config.name).toSorted());
    }
    raw.close();
  });
});

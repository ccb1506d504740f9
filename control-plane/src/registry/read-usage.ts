import type Database from 'better-sqlite3';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import { USAGE_NUMBERS, type UsageTable } from './decide/usage-table.js';
import type { UsageQuery } from './request-types.js';
import { bucketOfKey, nameOfKey, usageKey } from './usage-key.js';

const WIDTH = USAGE_NUMBERS.length;
/** Rows that are arrays at the same time: more of them outlive a collection of the young, and are copied by it. */
const CHUNK = 256;
/** Columns after the key in the order of `USAGE_NUMBERS`, of which the first six are the outcomes. */
const COLUMNS = `ok, client_errors, refused, failed, interrupted, client_gone, retries, prompt_tokens, completion_tokens,
  cached_tokens, total_ms, max_total_ms, queue_ms, ttft_ms, ttft_count`;
const OUTCOMES = 6;
const FIRST_SUM = USAGE_NUMBERS.indexOf('ok');

/** Sums by hour or day and one dimension, oldest first; never from the rows. */
export function readUsage(database: Database.Database, query: UsageQuery): UsageTable {
  const { by, per, fromMs, toMs, limit, after } = query;
  const bucketMs = per === 'hour' ? HOUR_MS : DAY_MS;
  const statement = database
    .prepare(
      `SELECT key, ${COLUMNS} FROM ${per === 'hour' ? 'usage_hours' : 'usage_days'}
       WHERE key > ? AND key < ? AND ok + client_errors + refused + failed + interrupted + client_gone > 0
       ORDER BY key LIMIT ?`,
    )
    .raw();
  const endKey = usageKey(by, Math.ceil(toMs / bucketMs));
  let lastKey =
    after === null
      ? usageKey(by, Math.floor(fromMs / bucketMs))
      : usageKey(by, after.bucketStartMs / bucketMs, after.nameId);
  const numbers = new Float64Array(limit * WIDTH);
  const nameIds = new Set<number>();
  let count = 0;
  for (let more = true; more && count < limit; ) {
    const asked = Math.min(CHUNK, limit - count);
    const rows = statement.all(lastKey, endKey, asked) as number[][];
    for (const row of rows) {
      lastKey = row[0] as number;
      nameIds.add(nameOfKey(lastKey));
      putRow(numbers, count * WIDTH, row, bucketMs);
      count += 1;
    }
    more = rows.length === asked;
  }
  return { names: readNames(database, nameIds), numbers: numbers.slice(0, count * WIDTH) };
}

function putRow(numbers: Float64Array, at: number, row: readonly number[], bucketMs: number): void {
  const key = row[0] as number;
  let requests = 0;
  for (let column = 1; column < row.length; column += 1) {
    const value = row[column] as number;
    if (column <= OUTCOMES) requests += value;
    numbers[at + FIRST_SUM + column - 1] = value;
  }
  numbers[at] = bucketOfKey(key) * bucketMs;
  numbers[at + 1] = nameOfKey(key);
  numbers[at + 2] = requests;
}

function readNames(database: Database.Database, ids: ReadonlySet<number>): Map<number, string> {
  const statement = database.prepare('SELECT name FROM request_names WHERE id = ?').pluck();
  return new Map(Array.from(ids, (id) => [id, String(statement.get(id) ?? '')]));
}

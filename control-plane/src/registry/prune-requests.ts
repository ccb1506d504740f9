import type Database from 'better-sqlite3';
import { placeOf, stretchOf } from './decide/request-place.js';
import { DAY_MS, HOUR_MS } from './decide/roll-up-requests.js';
import { USAGE_DIMENSIONS } from './request-types.js';
import { usageKey } from './usage-key.js';

interface RequestRetention {
  readonly rowsMs: number;
  /** Half a gigabyte at the most. */
  readonly maxRows: number;
  readonly trailsMs: number;
  readonly hoursMs: number;
  readonly daysMs: number;
}

const REQUEST_RETENTION: RequestRetention = {
  rowsMs: 30 * DAY_MS,
  maxRows: 2_000_000,
  trailsMs: 7 * DAY_MS,
  // Not shorter than the rows': filters find their rows by these.
  hoursMs: 90 * DAY_MS,
  daysMs: 800 * DAY_MS,
};

/** Twice what a batch brings, so that a chunk after each batch keeps up with any rate. */
const CHUNK = 400;
/** Batches. */
const LOOK_EVERY = 8;

interface Aged {
  readonly id: number;
  /** `null` where its row is gone. */
  readonly endedAtMs: number | null;
}

/** Forgets what is too old or too much, oldest first, a chunk of each table at a time. */
export class RequestPruner {
  readonly #raw: Database.Database;
  readonly #retention: RequestRetention;
  /** By their text: it is done after each batch, and preparing them would be most of it. */
  readonly #statements = new Map<string, Database.Statement>();

  #batches = 0;
  #mayBeMore = true;

  constructor(raw: Database.Database, retention: RequestRetention = REQUEST_RETENTION) {
    this.#raw = raw;
    this.#retention = retention;
  }

  /** As `prune`, behind each batch: most would find nothing, so only some look, until one has found enough for the next. */
  pruneAfterBatch(nowMs: number): void {
    this.#batches += 1;
    if (this.#mayBeMore || this.#batches % LOOK_EVERY === 0) this.#mayBeMore = this.prune(nowMs);
  }

  /** Within a transaction of the caller's. @returns whether there may be more */
  prune(nowMs: number): boolean {
    const { hoursMs, daysMs } = this.#retention;
    const deleted = [
      this.#pruneRows(nowMs),
      this.#pruneTrails(nowMs),
      this.#pruneUsage('usage_hours', (nowMs - hoursMs) / HOUR_MS),
      this.#pruneUsage('usage_days', (nowMs - daysMs) / DAY_MS),
      this.#pruneAfterRows(),
    ];
    return Math.max(...deleted) >= CHUNK;
  }

  #pruneRows(nowMs: number): number {
    const { rowsMs, maxRows } = this.#retention;
    const lastId = Number(this.#first('SELECT max(id) FROM requests') ?? 0);
    const isOver = ({ id, endedAtMs }: Aged): boolean =>
      id <= lastId - maxRows || (endedAtMs ?? 0) < nowMs - rowsMs;
    return this.#pruneOldest('requests', 'SELECT id, ended_at_ms AS endedAtMs FROM requests', isOver);
  }

  #pruneTrails(nowMs: number): number {
    const read = `SELECT request_trails.id, ended_at_ms AS endedAtMs FROM request_trails
      LEFT JOIN requests ON requests.id = request_trails.id`;
    const isOver = ({ endedAtMs }: Aged): boolean => (endedAtMs ?? 0) < nowMs - this.#retention.trailsMs;
    return this.#pruneOldest('request_trails', read, isOver);
  }

  /** Up to the first that stays: a clock that was wrong for a while must not take newer ones with it. */
  #pruneOldest(table: 'requests' | 'request_trails', read: string, isOver: (row: Aged) => boolean): number {
    const oldest = this.#prepared(`${read} ORDER BY ${table}.id LIMIT ?`);
    const [first] = oldest.all(1) as Aged[];
    if (first === undefined || !isOver(first)) return 0;
    const rows = oldest.all(CHUNK) as Aged[];
    const stays = rows.findIndex((row) => !isOver(row));
    const over = stays === -1 ? rows : rows.slice(0, stays);
    return this.#prepared(`DELETE FROM ${table} WHERE id <= ?`).run(over.at(-1)?.id ?? 0).changes;
  }

  #pruneUsage(table: 'usage_hours' | 'usage_days', beforeBucket: number): number {
    const old = `SELECT key FROM ${table} WHERE key >= ? AND key < ? LIMIT ${CHUNK}`;
    const remove = this.#prepared(`DELETE FROM ${table} WHERE key IN (${old})`);
    const deleted = USAGE_DIMENSIONS.map(
      (dimension) => remove.run(usageKey(dimension, 0), usageKey(dimension, beforeBucket)).changes,
    );
    return Math.max(...deleted);
  }

  /** What points to rows that are gone. */
  #pruneAfterRows(): number {
    const firstId = this.#first('SELECT min(id) FROM requests');
    if (typeof firstId !== 'number') return 0;
    this.#prepared('DELETE FROM request_hours WHERE last_id < ?').run(firstId);
    const old = `SELECT place FROM request_places WHERE place < ? LIMIT ${CHUNK}`;
    const remove = this.#prepared(`DELETE FROM request_places WHERE place IN (${old})`);
    return remove.run(placeOf(stretchOf(firstId), 0)).changes;
  }

  /** The one value of a statement's one row. */
  #first(text: string): unknown {
    const row = this.#prepared(text).get() as Readonly<Record<string, unknown>> | undefined;
    return row === undefined ? null : Object.values(row)[0];
  }

  #prepared(text: string): Database.Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#raw.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

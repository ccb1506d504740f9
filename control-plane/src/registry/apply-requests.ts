import type Database from 'better-sqlite3';
import { packTrail } from './decide/pack-trail.js';
import { hashRequestId, placeOf, stretchOf } from './decide/request-place.js';
import { rollUpDays, rollUpHours, spanHours, type UsageSum, wholeMs } from './decide/roll-up-requests.js';
import { META_KEYS } from './registry-meta.js';
import { RequestNames } from './request-names.js';
import { REQUEST_OUTCOMES, type RequestRow } from './request-types.js';
import { usageKey } from './usage-key.js';

/** Of a batch: written once, though it may be sent twice. */
export interface BatchMark {
  /** Of the process that sends it. */
  readonly runId: string;
  readonly batchId: number;
}

/** The tables of the request log, as the worker writes them: always within a transaction of the caller's. */
export class RequestTables {
  readonly #names: RequestNames;
  readonly #statements: Statements;

  constructor(raw: Database.Database) {
    this.#names = new RequestNames(raw);
    this.#statements = prepare(raw);
  }

  /** Rows, their roll-ups and the mark of the batch; a batch that was written before is passed over. */
  apply(rows: readonly RequestRow[], mark: BatchMark): void {
    const written = `${mark.runId} ${mark.batchId}`;
    if (rows.length === 0 || this.#statements.readMark.get(META_KEYS.lastRequestBatch) === written) return;
    const number = (name: string): number => this.#names.numberOf(name);
    const ids = rows.map((row) => this.#insert(row, number));
    for (const { hour, firstId, lastId } of spanHours(rows, ids)) {
      this.#statements.addToHour.run(hour, firstId, lastId);
    }
    const hours = rollUpHours(rows);
    for (const sum of hours) this.#add(this.#statements.addHour, sum);
    for (const sum of rollUpDays(hours)) this.#add(this.#statements.addDay, sum);
    this.#statements.writeMark.run(META_KEYS.lastRequestBatch, written);
  }

  /** The transaction was undone: numbers of names that it gave are no more. */
  forgetNames(): void {
    this.#names.forget();
  }

  /** @returns its sequence */
  #insert(row: RequestRow, number: (name: string) => number): number {
    const inserted = this.#statements.insert.run(
      row.endedAtMs,
      number(row.role),
      number(row.key),
      number(row.host),
      REQUEST_OUTCOMES.indexOf(row.outcome),
      number(row.target),
      number(row.endpoint),
      number(row.reason),
      row.stream ? 1 : 0,
      row.status,
      row.promptTokens,
      row.completionTokens,
      row.cachedTokens,
      row.ttftMs === null ? null : wholeMs(row.ttftMs),
      wholeMs(row.totalMs),
      wholeMs(row.queueMs),
      row.attempts,
      countTargets(row.rounds),
      row.requestId,
    );
    const id = Number(inserted.lastInsertRowid);
    this.#statements.addPlace.run(placeOf(stretchOf(id), hashRequestId(row.requestId)), id);
    const trail = packTrail(row.rounds, number);
    if (trail !== null) this.#statements.addTrail.run(id, trail);
    return id;
  }

  #add(statement: Database.Statement, sum: UsageSum): void {
    statement.run(
      usageKey(sum.dimension, sum.bucket, this.#names.numberOf(sum.name)),
      ...sum.outcomes,
      ...[sum.retries, sum.promptTokens, sum.completionTokens, sum.cachedTokens],
      ...[sum.totalMs, sum.maxTotalMs, sum.queueMs, sum.ttftMs, sum.ttftCount],
    );
  }
}

const SUMMED = [
  ...['ok', 'client_errors', 'refused', 'failed', 'interrupted', 'client_gone', 'retries'],
  ...['prompt_tokens', 'completion_tokens', 'cached_tokens', 'total_ms', 'queue_ms', 'ttft_ms', 'ttft_count'],
];

type Statements = ReturnType<typeof prepare>;

function prepare(raw: Database.Database) {
  const upsertUsage = (table: 'usage_hours' | 'usage_days') =>
    raw.prepare(
      `INSERT INTO ${table} (key, ok, client_errors, refused, failed,
         interrupted, client_gone, retries, prompt_tokens, completion_tokens, cached_tokens, total_ms, max_total_ms,
         queue_ms, ttft_ms, ttft_count)
       VALUES (${Array.from({ length: 16 }, () => '?').join(', ')})
       ON CONFLICT DO UPDATE SET ${SUMMED.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')},
         max_total_ms = max(max_total_ms, excluded.max_total_ms)`,
    );
  return {
    insert: raw.prepare(
      `INSERT INTO requests (ended_at_ms, role_id, key_id, host_id, outcome, target_id, endpoint_id, reason_id, stream,
         status, prompt_tokens, completion_tokens, cached_tokens, ttft_ms, total_ms, queue_ms, attempts, considered,
         request_id)
       VALUES (${Array.from({ length: 19 }, () => '?').join(', ')})`,
    ),
    addPlace: raw.prepare('INSERT OR REPLACE INTO request_places (place, id) VALUES (?, ?)'),
    addTrail: raw.prepare('INSERT INTO request_trails (id, trail) VALUES (?, ?)'),
    addToHour: raw.prepare(
      `INSERT INTO request_hours (hour, first_id, last_id) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET last_id = excluded.last_id`,
    ),
    addHour: upsertUsage('usage_hours'),
    addDay: upsertUsage('usage_days'),
    readMark: raw.prepare('SELECT value FROM meta WHERE key = ?').pluck(),
    writeMark: raw.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
  };
}

function countTargets(rounds: RequestRow['rounds']): number {
  const [first] = rounds;
  if (first === undefined) return 0;
  if (rounds.length === 1 && first.others === undefined) return first.considered.length;
  const counts = rounds.map(({ others = [] }) => others.reduce((sum, { count }) => sum + count, 0));
  const counted = Math.max(0, ...counts);
  if (rounds.length === 1) return counted + first.considered.length;
  return counted + new Set(rounds.flatMap(({ considered }) => considered.map(({ target }) => target))).size;
}

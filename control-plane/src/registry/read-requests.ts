import type Database from 'better-sqlite3';
import { type IdRange, mergeRanges } from './decide/merge-ranges.js';
import { unpackTrail } from './decide/pack-trail.js';
import { hashRequestId, placeOf, stretchOf } from './decide/request-place.js';
import { HOUR_MS } from './decide/roll-up-requests.js';
import {
  type ExplainedRequest,
  type LoggedRequest,
  REQUEST_OUTCOMES,
  type RequestFilter,
  type RequestOutcome,
  type RequestPage,
  type RequestPageQuery,
} from './request-types.js';
import { sqlUsageKey } from './usage-key.js';

/** Rows that one page looks at: some milliseconds. What is rarer than that goes on with the next page. */
const MAX_SCANNED = 10_000;

const FAILED_OUTCOMES: readonly RequestOutcome[] = ['client_error', 'refused', 'failed', 'interrupted'];
const FAILED = FAILED_OUTCOMES.map((outcome) => REQUEST_OUTCOMES.indexOf(outcome)).join(', ');

/** A filter as SQL knows it; names are numbers already. */
interface Conditions {
  readonly rows: readonly string[];
  /** Of `request_hours`: which of them may hold such rows. */
  readonly hours: readonly string[];
  readonly values: Readonly<Record<string, number>>;
}

/** Rows of the log, newest first, or oldest first for those who follow it. */
export function readRequestPage(database: Database.Database, query: RequestPageQuery): RequestPage {
  const newest = Number(database.prepare('SELECT max(id) FROM requests').pluck().get() ?? 0);
  const conditions = readConditions(database, query);
  if (conditions === null) return { rows: [], nextSequence: null, newestSequence: newest };
  const { afterSequence } = query;
  return afterSequence === undefined
    ? readBackwards(database, query, conditions, newest)
    : readForwards(database, query, conditions, afterSequence, newest);
}

function readBackwards(
  database: Database.Database,
  query: RequestPageQuery,
  conditions: Conditions,
  newest: number,
): RequestPage {
  const rows: LoggedRequest[] = [];
  const readRows = rowReader(database, conditions, 'DESC');
  let budget = MAX_SCANNED;
  for (const range of findRanges(database, query, conditions, newest)) {
    const first = Math.max(range.first, range.last - budget + 1);
    rows.push(...readRows(first, range.last, query.limit - rows.length));
    const lastRow = rows.at(-1);
    if (rows.length >= query.limit && lastRow !== undefined) {
      return { rows, nextSequence: lastRow.sequence, newestSequence: newest };
    }
    budget -= range.last - first + 1;
    if (budget <= 0) return { rows, nextSequence: first, newestSequence: newest };
  }
  return { rows, nextSequence: null, newestSequence: newest };
}

function readForwards(
  database: Database.Database,
  { limit }: RequestPageQuery,
  conditions: Conditions,
  afterSequence: number,
  newest: number,
): RequestPage {
  const last = Math.min(newest, afterSequence + MAX_SCANNED);
  const rows = rowReader(database, conditions, 'ASC')(afterSequence + 1, last, limit);
  const reached = rows.length < limit ? last : (rows.at(-1)?.sequence ?? last);
  return { rows, nextSequence: null, newestSequence: reached };
}

/** Where rows may lie, newest first: those hours whose roll-ups hold something of what is looked for. */
function findRanges(
  database: Database.Database,
  { beforeSequence }: RequestPageQuery,
  { hours, values }: Conditions,
  newest: number,
): IdRange[] {
  const last = Math.min(newest, (beforeSequence ?? newest + 1) - 1);
  const first = Number(database.prepare('SELECT min(id) FROM requests').pluck().get() ?? 1);
  if (hours.length === 0) return last < first ? [] : [{ first, last }];
  const found = database
    .prepare(
      `SELECT first_id AS first, last_id AS last FROM request_hours
       WHERE first_id <= @last AND ${hours.join(' AND ')}`,
    )
    .all({ ...values, last }) as IdRange[];
  return mergeRanges(found, { first, last });
}

/** @returns `null` where a name is none of the log's: then nothing can match */
function readConditions(database: Database.Database, filter: RequestFilter): Conditions | null {
  const rows: string[] = [];
  const hours: string[] = [];
  const failed = filter.failed === true ? 'AND client_errors + refused + failed + interrupted > 0' : '';
  const values: Record<string, number> = {};
  for (const by of ['role', 'key', 'host'] as const) {
    const name = filter[by];
    if (name === undefined) continue;
    const id = database.prepare('SELECT id FROM request_names WHERE name = ?').pluck().get(name);
    if (typeof id !== 'number') return null;
    values[by] = id;
    rows.push(`${by}_id = @${by}`);
    hours.push(
      `EXISTS (SELECT 1 FROM usage_hours WHERE key = ${sqlUsageKey(by, 'hour')} + @${by} ${failed})`,
    );
  }
  if (filter.failed === true) {
    rows.push(`outcome IN (${FAILED})`);
    const [from, to] = ['hour', '(hour + 1)'].map((hour) => sqlUsageKey('role', hour));
    hours.push(`EXISTS (SELECT 1 FROM usage_hours WHERE key >= ${from} AND key < ${to} ${failed})`);
  }
  if (filter.fromMs !== undefined) {
    values['from'] = filter.fromMs;
    values['fromHour'] = Math.floor(filter.fromMs / HOUR_MS);
    rows.push('ended_at_ms >= @from');
    hours.push('hour >= @fromHour');
  }
  if (filter.toMs !== undefined) {
    values['to'] = filter.toMs;
    values['toHour'] = Math.floor(filter.toMs / HOUR_MS);
    rows.push('ended_at_ms < @to');
    hours.push('hour <= @toHour');
  }
  return { rows, hours, values };
}

const ROW_COLUMNS = `id AS sequence, ended_at_ms AS endedAtMs, role_id AS roleId, key_id AS keyId, host_id AS hostId,
  outcome, target_id AS targetId, endpoint_id AS endpointId, reason_id AS reasonId, stream, status,
  prompt_tokens AS promptTokens, completion_tokens AS completionTokens, cached_tokens AS cachedTokens,
  ttft_ms AS ttftMs, total_ms AS totalMs, queue_ms AS queueMs, attempts, considered, request_id AS requestId`;

type Named = 'role' | 'key' | 'host' | 'target' | 'endpoint' | 'reason';
type StoredRow = Omit<LoggedRequest, Named | 'outcome' | 'stream'> &
  Record<`${Named}Id` | 'outcome' | 'stream' | 'considered', number>;

function rowReader(database: Database.Database, { rows, values }: Conditions, order: 'ASC' | 'DESC') {
  const statement = database.prepare(
    `SELECT ${ROW_COLUMNS} FROM requests WHERE ${['id BETWEEN @first AND @last', ...rows].join(' AND ')}
     ORDER BY id ${order} LIMIT @limit`,
  );
  const nameOf = nameReader(database);
  return (first: number, last: number, limit: number): LoggedRequest[] => {
    const found = statement.all({ ...values, first, last, limit }) as StoredRow[];
    return found.map((row) => toLogged(row, nameOf));
  };
}

function toLogged(row: StoredRow, nameOf: (number: number) => string): LoggedRequest {
  return {
    sequence: row.sequence,
    endedAtMs: row.endedAtMs,
    requestId: row.requestId,
    key: nameOf(row.keyId),
    role: nameOf(row.roleId),
    target: nameOf(row.targetId),
    host: nameOf(row.hostId),
    endpoint: nameOf(row.endpointId),
    stream: row.stream === 1,
    outcome: REQUEST_OUTCOMES[row.outcome] ?? 'failed',
    status: row.status,
    reason: nameOf(row.reasonId),
    promptTokens: row.promptTokens,
    completionTokens: row.completionTokens,
    cachedTokens: row.cachedTokens,
    ttftMs: row.ttftMs,
    totalMs: row.totalMs,
    queueMs: row.queueMs,
    attempts: row.attempts,
  };
}

function nameReader(database: Database.Database): (number: number) => string {
  const statement = database.prepare('SELECT name FROM request_names WHERE id = ?').pluck();
  const known = new Map<number, string>();
  return (number) => {
    let name = known.get(number);
    if (name === undefined) {
      name = String(statement.get(number) ?? '');
      known.set(number, name);
    }
    return name;
  };
}

/** The latest request of this id, with what is kept of why it went where it went; `null`: none is known. */
export function readRequest(
  database: Database.Database,
  { requestId }: { readonly requestId: string },
): ExplainedRequest | null {
  const id = findByRequestId(database, requestId);
  if (id === null) return null;
  const row = database.prepare(`SELECT ${ROW_COLUMNS} FROM requests WHERE id = ?`).get(id) as StoredRow;
  const trail = database.prepare('SELECT trail FROM request_trails WHERE id = ?').pluck().get(id);
  const nameOf = nameReader(database);
  return {
    ...toLogged(row, nameOf),
    consideredCount: row.considered,
    rounds: typeof trail === 'string' ? unpackTrail(trail, nameOf) : null,
  };
}

function findByRequestId(database: Database.Database, requestId: string): number | null {
  const [first, last] = database.prepare('SELECT min(id), max(id) FROM requests').raw().get() as number[];
  if (first === undefined || last === undefined || last === null) return null;
  const hash = hashRequestId(requestId);
  const find = database
    .prepare(
      `SELECT requests.id FROM request_places JOIN requests ON requests.id = request_places.id
       WHERE place = ? AND request_id = ?`,
    )
    .pluck();
  for (let stretch = stretchOf(last); stretch >= stretchOf(first); stretch -= 1) {
    const id = find.get(placeOf(stretch, hash), requestId);
    if (typeof id === 'number') return id;
  }
  return null;
}

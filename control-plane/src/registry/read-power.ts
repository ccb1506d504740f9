import type Database from 'better-sqlite3';
import { and, asc, desc, eq, gt, gte, inArray, lt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { energyDays, powerEvents, wakes } from './power-schema.js';
import { wakeOf } from './power-store.js';
import type { HostPowerEvent, HostPowerUse, PowerHistory, PowerQuery, WakeStretch } from './power-types.js';
import { hosts } from './schema.js';

type Queries = ReturnType<typeof drizzle>;

const AWAY = ['asleep', 'offline'];
/** Rows of the request log that one wake looks at: some milliseconds. */
const MOST_ROWS = 50_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Where hosts' hours went, and what their wakes were for; days are of UTC, and count whole. */
export function readPower(database: Database.Database, query: PowerQuery): PowerHistory {
  const queries = drizzle(database);
  return {
    use: readUse(queries, query),
    wakes: readStretches(queries, database, query),
    events: readEvents(queries, query),
  };
}

function readUse(queries: Queries, { fromMs, toMs }: PowerQuery): readonly HostPowerUse[] {
  const sum = (column: typeof energyDays.awakeSeconds) => sql<number>`sum(${column})`;
  return queries
    .select({
      host: hosts.name,
      awakeSeconds: sum(energyDays.awakeSeconds),
      asleepSeconds: sql<number>`sum(${energyDays.asleepSeconds})`,
      cardJoules: sql<number>`sum(${energyDays.cardJoules})`,
    })
    .from(energyDays)
    .innerJoin(hosts, eq(hosts.hostId, energyDays.hostId))
    .where(and(gt(energyDays.dayMs, fromMs - DAY_MS), lt(energyDays.dayMs, toMs)))
    .groupBy(hosts.hostId)
    .orderBy(asc(hosts.name))
    .all();
}

function readEvents(queries: Queries, { fromMs, toMs, mostEvents }: PowerQuery): readonly HostPowerEvent[] {
  const { atMs, state, cause, detail } = powerEvents;
  return queries
    .select({ host: hosts.name, atMs, state, cause, detail })
    .from(powerEvents)
    .innerJoin(hosts, eq(hosts.hostId, powerEvents.hostId))
    .where(and(gte(atMs, fromMs), lt(atMs, toMs)))
    .orderBy(desc(powerEvents.id))
    .limit(mostEvents)
    .all();
}

function readStretches(
  queries: Queries,
  database: Database.Database,
  { fromMs, toMs, mostWakes }: PowerQuery,
): readonly WakeStretch[] {
  const rows = queries
    .select({ wake: wakes, host: hosts.name })
    .from(wakes)
    .innerJoin(hosts, eq(hosts.hostId, wakes.hostId))
    .where(and(gte(wakes.askedAtMs, fromMs), lt(wakes.askedAtMs, toMs)))
    .orderBy(desc(wakes.askedAtMs))
    .limit(mostWakes)
    .all();
  return rows.map(({ wake: { hostId, ...wake }, host }) => {
    const awakeUntilMs = readAwayAfter(queries, hostId, wake.endedAtMs ?? wake.askedAtMs);
    return {
      wake: { ...wakeOf(wake), host },
      awakeUntilMs,
      requests: sumRequests(database, host, wake.askedAtMs, awakeUntilMs ?? toMs),
    };
  });
}

function readAwayAfter(queries: Queries, hostId: string, afterMs: number): number | null {
  const found = queries
    .select({ atMs: powerEvents.atMs })
    .from(powerEvents)
    .where(
      and(eq(powerEvents.hostId, hostId), gt(powerEvents.atMs, afterMs), inArray(powerEvents.state, AWAY)),
    )
    .orderBy(asc(powerEvents.atMs))
    .limit(1)
    .get();
  return found?.atMs ?? null;
}

/** @returns `null`: more rows than are looked at */
function sumRequests(
  database: Database.Database,
  host: string,
  fromMs: number,
  toMs: number,
): WakeStretch['requests'] {
  const hours = [Math.floor(fromMs / HOUR_MS), Math.floor(toMs / HOUR_MS)] as const;
  const range = database
    .prepare(
      'SELECT min(first_id) AS first, max(last_id) AS last FROM request_hours WHERE hour BETWEEN ? AND ?',
    )
    .get(...hours) as { readonly first: number | null; readonly last: number | null };
  if (range.first === null || range.last === null) return { count: 0, promptTokens: 0, completionTokens: 0 };
  if (range.last - range.first >= MOST_ROWS) return null;
  return database
    .prepare(
      `SELECT count(*) AS count, coalesce(sum(prompt_tokens), 0) AS promptTokens,
         coalesce(sum(completion_tokens), 0) AS completionTokens
       FROM requests WHERE id BETWEEN ? AND ? AND ended_at_ms BETWEEN ? AND ?
         AND host_id = (SELECT id FROM request_names WHERE name = ?)`,
    )
    .get(range.first, range.last, fromMs, toMs, host) as NonNullable<WakeStretch['requests']>;
}

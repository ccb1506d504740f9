import { asc, inArray, lt, max, sql } from 'drizzle-orm';
import { applyPower } from './power-store.js';
import type { PowerObservation } from './power-types.js';
import type { Queries } from './registry-database.js';
import type { SeenObservation } from './registry-types.js';
import { hostEvents, hostObservations, hosts } from './schema.js';

const MAX_EVENTS = 50_000;
const KEEP_EVENTS_MS = 90 * 24 * 3600 * 1000;
/** Deleting in one go would hold the file's lock for as long as it takes. */
const PRUNE_CHUNK = 500;

/** What is written through drizzle: a handful of rows a second. */
type Seen = Exclude<SeenObservation, { kind: 'telemetryMinute' }>;

/** Writes observations within the transaction of `queries`; those of hosts that are gone are passed over. */
export function applyObservations(queries: Queries, observations: readonly Seen[]): void {
  const ids = [...new Set(observations.map((each) => each.hostId))];
  const rows = queries.select({ hostId: hosts.hostId }).from(hosts).where(inArray(hosts.hostId, ids)).all();
  const known = new Set(rows.map((row) => row.hostId));
  for (const observation of observations) {
    if (known.has(observation.hostId)) applyObservation(queries, observation);
  }
}

function applyObservation(queries: Queries, observation: Seen): void {
  switch (observation.kind) {
    case 'hostEvent':
      applyEvent(queries, observation);
      return;
    case 'wake':
    case 'wakeProof':
    case 'hostPower':
    case 'loadTimes':
    case 'powerEvent':
    case 'powerUse':
      applyPower(queries, observation);
      return;
    default:
      upsert(queries, observation, valuesOf(observation));
  }
}

function valuesOf(observation: Exclude<Seen, { kind: 'hostEvent' } | PowerObservation>): Values {
  switch (observation.kind) {
    case 'hostSeen': {
      const { agentVersion, clockSkewMs } = observation;
      return {
        ...(agentVersion === null ? {} : { agentVersion }),
        ...(clockSkewMs === null ? {} : { clockSkewMs }),
      };
    }
    case 'hostInventory':
      return { inventory: JSON.stringify(observation.inventory) };
    case 'hostIssues':
      return { issues: JSON.stringify(observation.issues) };
    case 'hostReplicas':
      return { replicas: JSON.stringify(observation.replicas) };
    default:
      return observation satisfies never;
  }
}

function applyEvent(queries: Queries, observation: Extract<Seen, { kind: 'hostEvent' }>): void {
  const { hostId, atMs, event, detail } = observation;
  queries.insert(hostEvents).values({ hostId, atMs, event, detail }).run();
  // "late" and "away" are when we noticed, not when the host was last heard of.
  if (event === 'linked') upsert(queries, observation, { lastGoodbyeReason: null });
  if (event === 'goodbye') upsert(queries, observation, { lastGoodbyeReason: detail });
}

type Values = Partial<Omit<typeof hostObservations.$inferInsert, 'hostId' | 'lastSeenMs'>>;

function upsert(queries: Queries, { hostId, atMs }: Pick<Seen, 'hostId' | 'atMs'>, values: Values): void {
  queries
    .insert(hostObservations)
    .values({ hostId, lastSeenMs: atMs, ...values })
    .onConflictDoUpdate({
      target: hostObservations.hostId,
      set: { lastSeenMs: sql`max(${hostObservations.lastSeenMs}, ${atMs})`, ...values },
    })
    .run();
}

/**
 * Forgets the oldest events beyond the bounds of age and number, a chunk of them.
 *
 * @returns whether there may be more
 */
export function pruneEvents(queries: Queries, nowMs: number): boolean {
  const newest =
    queries
      .select({ id: max(hostEvents.id) })
      .from(hostEvents)
      .get()?.id ?? 0;
  const oldest = queries
    .select({ id: hostEvents.id, atMs: hostEvents.atMs })
    .from(hostEvents)
    .orderBy(asc(hostEvents.id))
    .limit(PRUNE_CHUNK)
    .all();
  const tooMany = newest - MAX_EVENTS;
  const excess = oldest.filter(({ id, atMs }) => id <= tooMany || atMs < nowMs - KEEP_EVENTS_MS);
  const last = excess.at(-1);
  if (!last) return false;
  queries
    .delete(hostEvents)
    .where(lt(hostEvents.id, last.id + 1))
    .run();
  return excess.length === PRUNE_CHUNK;
}

import { and, asc, desc, eq, isNull, lt, sql } from 'drizzle-orm';
import { energyDays, hostPower, loadTimes, powerEvents, wakeProofs, wakes } from './power-schema.js';
import type { PowerObservation, PowerRecords, PowerStore, WakeOutcome, WakeRecord } from './power-types.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import type { ObservationWriter } from './registry-types.js';

/** Of each host, at the start: enough for what is usual. */
const WAKES_OF_HOST = 50;
const KEEP_MS = 400 * 24 * 3600 * 1000;
const MOST_EVENTS = 200_000;
const MOST_WAKES = 50_000;
const PRUNE_CHUNK = 500;

/** Reads on the main thread, once at the start; writes go through the background writer. */
export function createPowerStore(
  database: RegistryDatabase,
  observations: Pick<ObservationWriter, 'enqueue'>,
): PowerStore {
  return {
    load: (nowMs) => {
      database.write((queries) => endOpenWakes(queries, nowMs));
      return loadPower(database);
    },
    save: (observation) => observations.enqueue(observation),
  };
}

function loadPower(database: RegistryDatabase): PowerRecords {
  return database.read((queries) => {
    const rank = sql<number>`row_number() OVER (PARTITION BY ${wakes.hostId} ORDER BY ${wakes.askedAtMs} DESC)`;
    const ranked = queries
      .select({ wakeId: wakes.wakeId, rank: rank.as('rank') })
      .from(wakes)
      .as('ranked');
    const rows = queries
      .select({ wake: wakes })
      .from(wakes)
      .innerJoin(ranked, eq(ranked.wakeId, wakes.wakeId))
      .where(sql`${ranked.rank} <= ${WAKES_OF_HOST}`)
      .orderBy(desc(wakes.askedAtMs))
      .all();
    return {
      hosts: queries.select().from(hostPower).all(),
      proofs: queries
        .select({ hostId: wakeProofs.hostId, fromState: wakeProofs.fromState })
        .from(wakeProofs)
        .all(),
      wakes: rows.map(({ wake: { hostId, ...wake } }) => ({ ...wakeOf(wake), hostId })),
      loads: queries
        .select()
        .from(loadTimes)
        .all()
        .map(({ hostId, deployment, seconds, toldSeconds }) => ({
          ...{ hostId, deployment, toldSeconds },
          seconds: readSeconds(seconds),
        })),
    };
  });
}

/** What another program wrote in a way that this one does not know counts as nothing. */
export function wakeOf(row: Omit<typeof wakes.$inferSelect, 'hostId'>): WakeRecord {
  return {
    ...row,
    askedBy: row.askedBy as WakeRecord['askedBy'],
    outcome: row.outcome as WakeOutcome | null,
    phases: readPhases(row.phases),
  };
}

function readPhases(text: string): Record<string, number> {
  const found: unknown = JSON.parse(text);
  if (typeof found !== 'object' || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

function readSeconds(text: string): readonly number[] {
  const found: unknown = JSON.parse(text);
  return Array.isArray(found) ? found.filter((each) => typeof each === 'number') : [];
}

/** Within a transaction of the caller's, of a host that is known. */
export function applyPower(queries: Queries, observation: PowerObservation): void {
  const { hostId, atMs } = observation;
  switch (observation.kind) {
    case 'wake': {
      const values = { hostId, ...observation.wake, phases: JSON.stringify(observation.wake.phases) };
      const { wakeId: _, ...set } = values;
      queries.insert(wakes).values(values).onConflictDoUpdate({ target: wakes.wakeId, set }).run();
      return;
    }
    case 'wakeProof': {
      const { fromState, wakeId } = observation;
      queries
        .insert(wakeProofs)
        .values({ hostId, fromState, wakeId, provenAtMs: atMs })
        .onConflictDoUpdate({
          target: [wakeProofs.hostId, wakeProofs.fromState],
          set: { wakeId, provenAtMs: atMs },
        })
        .run();
      return;
    }
    case 'hostPower':
      queries
        .insert(hostPower)
        .values({ hostId, ...observation.power })
        .onConflictDoUpdate({ target: hostPower.hostId, set: observation.power })
        .run();
      return;
    case 'loadTimes': {
      const { deployment, record } = observation;
      const { toldSeconds } = record;
      if (record.seconds.length === 0 && toldSeconds === null) {
        queries
          .delete(loadTimes)
          .where(and(eq(loadTimes.hostId, hostId), eq(loadTimes.deployment, deployment)))
          .run();
        return;
      }
      const set = { seconds: JSON.stringify(record.seconds), toldSeconds, updatedAtMs: atMs };
      queries
        .insert(loadTimes)
        .values({ hostId, deployment, ...set })
        .onConflictDoUpdate({ target: [loadTimes.hostId, loadTimes.deployment], set })
        .run();
      return;
    }
    case 'powerEvent': {
      const { state, cause, detail } = observation;
      queries.insert(powerEvents).values({ hostId, atMs, state, cause, detail }).run();
      return;
    }
    case 'powerUse': {
      const { dayMs, awakeSeconds, asleepSeconds, cardJoules } = observation;
      const { awakeSeconds: awake, asleepSeconds: asleep, cardJoules: joules } = energyDays;
      queries
        .insert(energyDays)
        .values({ hostId, dayMs, awakeSeconds, asleepSeconds, cardJoules })
        .onConflictDoUpdate({
          target: [energyDays.hostId, energyDays.dayMs],
          set: {
            awakeSeconds: sql`${awake} + ${awakeSeconds}`,
            asleepSeconds: sql`${asleep} + ${asleepSeconds}`,
            cardJoules: sql`${joules} + ${cardJoules}`,
          },
        })
        .run();
      return;
    }
    default:
      observation satisfies never;
  }
}

/**
 * A wake that was under way when the program ended was never seen to its end.
 *
 * @param beforeMs those that were asked for before it
 */
function endOpenWakes(queries: Queries, beforeMs: number): void {
  queries
    .update(wakes)
    .set({ outcome: 'cancelled', detail: 'the control plane stopped meanwhile', endedAtMs: beforeMs })
    .where(and(isNull(wakes.outcome), lt(wakes.askedAtMs, beforeMs)))
    .run();
}

/**
 * Forgets the oldest beyond the bounds of age and number, a chunk of each.
 *
 * @returns whether there may be more
 */
export function prunePower(queries: Queries, nowMs: number): boolean {
  const beforeMs = nowMs - KEEP_MS;
  const events = queries
    .select({ id: powerEvents.id, atMs: powerEvents.atMs })
    .from(powerEvents)
    .orderBy(asc(powerEvents.id))
    .limit(PRUNE_CHUNK)
    .all();
  const newest = queries
    .select({ id: powerEvents.id })
    .from(powerEvents)
    .orderBy(desc(powerEvents.id))
    .limit(1)
    .get();
  const tooMany = (newest?.id ?? 0) - MOST_EVENTS;
  const lastEvent = events.filter(({ id, atMs }) => id <= tooMany || atMs < beforeMs).at(-1);
  const deletedEvents = lastEvent
    ? queries
        .delete(powerEvents)
        .where(lt(powerEvents.id, lastEvent.id + 1))
        .run().changes
    : 0;
  const excess = sql`(SELECT wake_id FROM wakes WHERE asked_at_ms < ${beforeMs} OR wake_id IN
    (SELECT wake_id FROM wakes ORDER BY asked_at_ms DESC LIMIT -1 OFFSET ${MOST_WAKES}) LIMIT ${PRUNE_CHUNK})`;
  // A row for each host and day: there are never many.
  queries.delete(energyDays).where(lt(energyDays.dayMs, beforeMs)).run();
  queries.delete(loadTimes).where(lt(loadTimes.updatedAtMs, beforeMs)).run();
  const deletedWakes = queries.delete(wakes).where(sql`wake_id IN ${excess}`).run().changes;
  return Math.max(deletedEvents, deletedWakes) >= PRUNE_CHUNK;
}

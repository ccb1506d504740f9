import { and, desc, eq, lt, ne, sql } from 'drizzle-orm';
import { answerLengths, learnedRates } from './learned-schema.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import type {
  LearnedObservation,
  LearnedRecords,
  LearnedStore,
  ObservationWriter,
} from './registry-types.js';

/** What is read at the start at most, the latest first. */
const MOST_RATES = 5_000;
const MOST_ROLES = 1_000;
const MOST_KEYS = 2_000;
const KEEP_MS = 90 * 24 * 3600 * 1000;
const PRUNE_CHUNK = 500;

/** Reads on the main thread, once at the start; writes go through the background writer. */
export function createLearnedStore(
  database: RegistryDatabase,
  observations: Pick<ObservationWriter, 'enqueue'>,
): LearnedStore {
  return {
    load: () => loadLearned(database),
    save: (learned) => observations.enqueue(learned),
  };
}

function loadLearned(database: RegistryDatabase): LearnedRecords {
  return database.read((queries) => {
    const lengths = (ofRoles: boolean) =>
      queries
        .select()
        .from(answerLengths)
        .where(ofRoles ? eq(answerLengths.key, '') : ne(answerLengths.key, ''))
        .orderBy(desc(answerLengths.updatedAtMs))
        .limit(ofRoles ? MOST_ROLES : MOST_KEYS)
        .all();
    const rates = queries
      .select()
      .from(learnedRates)
      .orderBy(desc(learnedRates.updatedAtMs))
      .limit(MOST_RATES)
      .all();
    return { rates, lengths: [...lengths(true), ...lengths(false)] };
  });
}

/** Within a transaction of the caller's. */
export function applyLearned(queries: Queries, learned: readonly LearnedObservation[]): void {
  for (const each of learned) applyOne(queries, each);
}

function applyOne(queries: Queries, learned: LearnedObservation): void {
  switch (learned.kind) {
    case 'learnedRates': {
      const { host, model, image, state, atMs } = learned;
      queries
        .insert(learnedRates)
        .values({ host, model, image, state, updatedAtMs: atMs })
        .onConflictDoUpdate({
          target: [learnedRates.host, learnedRates.model, learnedRates.image],
          set: { state, updatedAtMs: atMs },
        })
        .run();
      return;
    }
    case 'ratesForgotten': {
      const { host, model } = learned;
      queries
        .delete(learnedRates)
        .where(and(eq(learnedRates.host, host), eq(learnedRates.model, model)))
        .run();
      return;
    }
    case 'answerLengths': {
      const { role, key, state, atMs } = learned;
      queries
        .insert(answerLengths)
        .values({ role, key, state, updatedAtMs: atMs })
        .onConflictDoUpdate({
          target: [answerLengths.role, answerLengths.key],
          set: { state, updatedAtMs: atMs },
        })
        .run();
      return;
    }
    default:
      learned satisfies never;
  }
}

/**
 * Forgets what nobody brought up to date for 90 days, a chunk of each table.
 *
 * @returns whether there may be more
 */
export function pruneLearned(queries: Queries, nowMs: number): boolean {
  const beforeMs = nowMs - KEEP_MS;
  const deleted = [learnedRates, answerLengths].map((table) => {
    const old = sql`(SELECT rowid FROM ${table} WHERE ${lt(table.updatedAtMs, beforeMs)} LIMIT ${PRUNE_CHUNK})`;
    return queries.delete(table).where(sql`rowid IN ${old}`).run().changes;
  });
  return Math.max(...deleted) >= PRUNE_CHUNK;
}

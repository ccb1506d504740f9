import { index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { hosts } from './schema.js';

/** How hosts came and went, and what the fabric did about it. Times are milliseconds since 1970 on this server's clock. */

/** From one power state to the next. Bounded in number and age; the sum of it is where a host's hours went. */
export const powerEvents = sqliteTable(
  'power_events',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    atMs: integer('at_ms').notNull(),
    /** online, asleep, waking, offline, yielded. */
    state: text('state').notNull(),
    /** What brought it there: a goodbye's reason, a wake, an operator, idleness. */
    cause: text('cause'),
    detail: text('detail'),
  },
  (table) => [index('power_events_host').on(table.hostId, table.atMs)],
);

/** One flight: from the wish to have a host awake to a model that is ready, or to the phase that failed. */
export const wakes = sqliteTable(
  'wakes',
  {
    wakeId: text('wake_id').primaryKey(),
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    askedAtMs: integer('asked_at_ms').notNull(),
    /** request, operator, rehearsal. */
    askedBy: text('asked_by').notNull(),
    /** The key of the request that asked first. */
    keyId: text('key_id'),
    /** What was asked for, by its declared name. */
    role: text('role'),
    deployment: text('deployment'),
    /** What the host was in: suspend, poweroff, hibernate, unknown. */
    fromState: text('from_state').notNull(),
    /** ready, failed, cancelled; `null`: under way. */
    outcome: text('outcome'),
    failedPhase: text('failed_phase'),
    detail: text('detail'),
    /** JSON: phase → milliseconds since it was asked for. */
    phases: text('phases').notNull(),
    endedAtMs: integer('ended_at_ms'),
    /** Requests that were held for it. */
    waiters: integer('waiters').notNull().default(0),
  },
  (table) => [index('wakes_host').on(table.hostId, table.askedAtMs)],
);

/** That a host came back from a state, unattended, up to a token. */
export const wakeProofs = sqliteTable(
  'wake_proofs',
  {
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    fromState: text('from_state').notNull(),
    provenAtMs: integer('proven_at_ms').notNull(),
    wakeId: text('wake_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.hostId, table.fromState] })],
);

/** What outlives a restart of what the fabric knows of a host's power. */
export const hostPower = sqliteTable('host_power', {
  hostId: text('host_id')
    .primaryKey()
    .references(() => hosts.hostId, { onDelete: 'cascade' }),
  /** An operator wants it awake until then. */
  keepAwakeUntilMs: integer('keep_awake_until_ms'),
  keepAwakeReason: text('keep_awake_reason'),
  /** How it last went to sleep: a verb, or a goodbye's reason. */
  lastSleptBy: text('last_slept_by'),
  lastSleptAtMs: integer('last_slept_at_ms'),
  /** It was the fabric that put it to sleep. */
  sleptByFabric: integer('slept_by_fabric', { mode: 'boolean' }).notNull().default(false),
  wokenAtMs: integer('woken_at_ms'),
  /** What its cards draw while requests run on it, as it was measured. */
  servingWatts: real('serving_watts'),
});

/** How long engines take from their start until they are ready, as it was seen. */
export const loadTimes = sqliteTable(
  'load_times',
  {
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    deployment: text('deployment').notNull(),
    /** JSON: seconds of its last starts, the latest last. */
    seconds: text('seconds').notNull(),
    /** As its agent usually sees the loading alone. */
    toldSeconds: real('told_seconds'),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.hostId, table.deployment] })],
);

/** Energy by host and day, UTC. Written by the observation worker alone. */
export const energyDays = sqliteTable(
  'energy_days',
  {
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.hostId, { onDelete: 'cascade' }),
    /** Midnight, UTC. */
    dayMs: integer('day_ms').notNull(),
    awakeSeconds: real('awake_seconds').notNull(),
    asleepSeconds: real('asleep_seconds').notNull(),
    /** Of the cards, as they told; watt-seconds. */
    cardJoules: real('card_joules').notNull(),
  },
  (table) => [primaryKey({ columns: [table.hostId, table.dayMs] })],
);

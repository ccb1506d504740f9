import type Database from 'better-sqlite3';
import { and, desc, eq, lt, or } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { wakes } from './power-schema.js';
import { wakeOf } from './power-store.js';
import type { ListedWake, WakePageQuery } from './power-types.js';
import { hosts } from './schema.js';

/** Wakes, newest first. */
export function readWakes(database: Database.Database, query: WakePageQuery): readonly ListedWake[] {
  const { host, limit, after } = query;
  const older =
    after === null
      ? undefined
      : or(
          lt(wakes.askedAtMs, after.askedAtMs),
          and(eq(wakes.askedAtMs, after.askedAtMs), lt(wakes.wakeId, after.wakeId)),
        );
  const rows = drizzle(database)
    .select({ wake: wakes, host: hosts.name })
    .from(wakes)
    .innerJoin(hosts, eq(hosts.hostId, wakes.hostId))
    .where(and(host === null ? undefined : eq(hosts.name, host), older))
    .orderBy(desc(wakes.askedAtMs), desc(wakes.wakeId))
    .limit(limit)
    .all();
  return rows.map(({ wake, host: name }) => present(wake, name));
}

/** @returns `null`: there is none of this id */
export function readWake(
  database: Database.Database,
  { wakeId }: { readonly wakeId: string },
): ListedWake | null {
  const row = drizzle(database)
    .select({ wake: wakes, host: hosts.name })
    .from(wakes)
    .innerJoin(hosts, eq(hosts.hostId, wakes.hostId))
    .where(eq(wakes.wakeId, wakeId))
    .get();
  return row === undefined ? null : present(row.wake, row.host);
}

function present({ hostId: _, ...row }: typeof wakes.$inferSelect, host: string): ListedWake {
  return { ...wakeOf(row), host };
}

import { desc, eq } from 'drizzle-orm';
import type { RegistryDatabase } from './registry-database.js';
import type { HostEvent, HostEventKind } from './registry-types.js';
import { hostEvents, hosts } from './schema.js';

/** When hosts came and went, the latest first. @throws {RegistryError} */
export function readHostEvents(database: RegistryDatabase, limit: number): readonly HostEvent[] {
  const rows = database.read((queries) =>
    queries
      .select({
        host: hosts.name,
        atMs: hostEvents.atMs,
        event: hostEvents.event,
        detail: hostEvents.detail,
      })
      .from(hostEvents)
      .innerJoin(hosts, eq(hosts.hostId, hostEvents.hostId))
      .orderBy(desc(hostEvents.id))
      .limit(limit)
      .all(),
  );
  return rows.map((row) => ({ ...row, event: row.event as HostEventKind }));
}

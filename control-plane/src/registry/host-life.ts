import { and, desc, eq, inArray, isNull } from 'drizzle-orm';
import { reEnrolments, refusedKeys } from './host-life-schema.js';
import type { Queries } from './registry-database.js';
import type { RefusedKey, StoredHostEvent } from './registry-types.js';
import { hostEvents, hosts, joinTokens } from './schema.js';

/** What ends a host's key, and a host. Each works within the transaction of `queries`. */

export function findRefusedKey(queries: Queries, publicKey: string): RefusedKey | undefined {
  const { hostName, reason, refusedAtMs } = refusedKeys;
  return queries
    .select({ hostName, reason, refusedAtMs })
    .from(refusedKeys)
    .where(eq(refusedKeys.publicKey, publicKey))
    .get();
}

export function refuseKey(queries: Queries, publicKey: string, why: RefusedKey): void {
  queries
    .insert(refusedKeys)
    .values({ publicKey, ...why })
    .onConflictDoNothing()
    .run();
}

/** @returns since when its key is refused; `null` when no host has this name */
export function revokeHost(queries: Queries, name: string, nowMs: number): number | null {
  const host = queries.select().from(hosts).where(eq(hosts.name, name)).get();
  if (!host) return null;
  const before = findRefusedKey(queries, host.publicKey);
  if (before) return before.refusedAtMs;
  refuseKey(queries, host.publicKey, { hostName: name, reason: 'revoked', refusedAtMs: nowMs });
  revokeReEnrolments(queries, host.hostId, nowMs);
  const { hostId } = host;
  queries.insert(hostEvents).values({ hostId, atMs: nowMs, event: 'revoked', detail: null }).run();
  return nowMs;
}

export function removeHost(queries: Queries, name: string, nowMs: number): boolean {
  const host = queries.select().from(hosts).where(eq(hosts.name, name)).get();
  if (!host) return false;
  // Without its host such a token would be an ordinary one.
  revokeReEnrolments(queries, host.hostId, nowMs);
  queries.delete(hosts).where(eq(hosts.hostId, host.hostId)).run();
  return true;
}

/** The host that a token is to bring back, with another key. */
export function replacedHostId(queries: Queries, tokenId: string): string | null {
  const row = queries.select().from(reEnrolments).where(eq(reEnrolments.tokenId, tokenId)).get();
  return row?.hostId ?? null;
}

export function recentEvents(queries: Queries, hostId: string, limit: number): StoredHostEvent[] {
  const { atMs, event, detail } = hostEvents;
  return queries
    .select({ atMs, event, detail })
    .from(hostEvents)
    .where(eq(hostEvents.hostId, hostId))
    .orderBy(desc(hostEvents.id))
    .limit(limit)
    .all();
}

function revokeReEnrolments(queries: Queries, hostId: string, nowMs: number): void {
  const ids = queries
    .select({ id: reEnrolments.tokenId })
    .from(reEnrolments)
    .where(eq(reEnrolments.hostId, hostId));
  queries
    .update(joinTokens)
    .set({ revokedAtMs: nowMs })
    .where(and(inArray(joinTokens.id, ids), isNull(joinTokens.usedAtMs), isNull(joinTokens.revokedAtMs)))
    .run();
}

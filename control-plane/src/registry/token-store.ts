import { and, desc, eq, inArray, isNull, lt } from 'drizzle-orm';
import { reEnrolments } from './host-life-schema.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import type { JoinTokenState, StoredJoinToken, TokenStore } from './registry-types.js';
import { hosts, joinTokens } from './schema.js';
import { hashSecret } from './token-secret.js';

/** Tokens that can do nothing any more are listed for so long, then forgotten. */
const KEEP_EXPIRED_MS = 30 * 24 * 3600 * 1000;
const MAX_FORGOTTEN_AT_ONCE = 500;

/** @param randomBytes cryptographically random */
export function createTokenStore(
  database: RegistryDatabase,
  randomBytes: (size: number) => Buffer,
): TokenStore {
  return {
    create: ({ hostName, replacesHostId, ttlSeconds, nowMs }) => {
      const id = randomBytes(8).toString('hex');
      const secret = randomBytes(32).toString('base64url');
      const expiresAtMs = nowMs + ttlSeconds * 1000;
      database.write((queries) => {
        forgetExpired(queries, nowMs);
        queries
          .insert(joinTokens)
          .values({
            id,
            secretSha256: hashSecret(secret),
            hostName: hostName ?? null,
            createdAtMs: nowMs,
            expiresAtMs,
          })
          .run();
        if (replacesHostId !== undefined) {
          queries.insert(reEnrolments).values({ tokenId: id, hostId: replacesHostId }).run();
        }
      });
      return { id, secret, expiresAtMs };
    },
    list: (nowMs) => database.read((queries) => list(queries, nowMs)),
    revoke: (id, nowMs) =>
      database.write(
        (queries) =>
          queries
            .update(joinTokens)
            .set({ revokedAtMs: nowMs })
            .where(and(eq(joinTokens.id, id), isNull(joinTokens.usedAtMs), isNull(joinTokens.revokedAtMs)))
            .run().changes > 0,
      ),
  };
}

function list(queries: Queries, nowMs: number): StoredJoinToken[] {
  const rows = queries
    .select({ token: joinTokens, usedByHost: hosts.name })
    .from(joinTokens)
    .leftJoin(hosts, eq(joinTokens.usedByHostId, hosts.hostId))
    .orderBy(desc(joinTokens.createdAtMs), desc(joinTokens.id))
    .all();
  return rows.map(({ token, usedByHost }) => ({
    id: token.id,
    state: judgeState(token, nowMs),
    hostName: token.hostName,
    createdAtMs: token.createdAtMs,
    expiresAtMs: token.expiresAtMs,
    usedAtMs: token.usedAtMs,
    usedByHost,
  }));
}

function judgeState(token: typeof joinTokens.$inferSelect, nowMs: number): JoinTokenState {
  if (token.usedAtMs !== null) return 'used';
  if (token.revokedAtMs !== null) return 'revoked';
  return nowMs >= token.expiresAtMs ? 'expired' : 'unused';
}

function forgetExpired(queries: Queries, nowMs: number): void {
  const old = queries
    .select({ id: joinTokens.id })
    .from(joinTokens)
    .where(lt(joinTokens.expiresAtMs, nowMs - KEEP_EXPIRED_MS))
    .limit(MAX_FORGOTTEN_AT_ONCE);
  queries.delete(joinTokens).where(inArray(joinTokens.id, old)).run();
}

import { hostInventorySchema, issueSchema, replicaStatusSchema } from '@ai-fabric/shared';
import { asc, eq, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { type HostFacts, judgeEnrolment } from './decide/judge-enrolment.js';
import {
  findRefusedKey,
  recentEvents,
  refuseKey,
  removeHost,
  replacedHostId,
  revokeHost,
} from './host-life.js';
import { refusedKeys } from './host-life-schema.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import { RegistryError } from './registry-error.js';
import type { EnrolRequest, EnrolResult, HostStore, StoredHost } from './registry-types.js';
import { hostEvents, hostObservations, hosts, joinTokens } from './schema.js';
import { hashSecret, secretMatches } from './token-secret.js';

const issuesSchema = z.array(issueSchema.extend({ sinceMs: z.number().optional() }));
const replicasSchema = z.array(replicaStatusSchema);

/** Compared with when there is no such token, so that an unknown id takes as long as a wrong secret. */
const NO_SUCH_TOKEN = hashSecret('');

/** @param randomBytes cryptographically random */
export function createHostStore(
  database: RegistryDatabase,
  randomBytes: (size: number) => Buffer,
): HostStore {
  const findWhere = (where: SQL) => database.read((queries) => select(queries).where(where).get());
  return {
    enrol: (request) => {
      const newHostId = `h${randomBytes(8).toString('hex')}`;
      return database.write((queries) => enrol(queries, request, newHostId));
    },
    findByPublicKey: (publicKey) => toStoredHost(findWhere(eq(hosts.publicKey, publicKey))),
    findByName: (name) => toStoredHost(findWhere(eq(hosts.name, name))),
    list: () =>
      database
        .read((queries) => select(queries).orderBy(asc(hosts.name)).all())
        .flatMap((row) => toStoredHost(row) ?? []),
    setDraining: (name, draining) =>
      database.write(
        (queries) => queries.update(hosts).set({ draining }).where(eq(hosts.name, name)).run().changes > 0,
      ),
    findRefusedKey: (publicKey) => database.read((queries) => findRefusedKey(queries, publicKey)),
    recentEvents: (hostId, limit) => database.read((queries) => recentEvents(queries, hostId, limit)),
    revoke: (name, nowMs) => database.write((queries) => revokeHost(queries, name, nowMs)),
    remove: (name, nowMs) => database.write((queries) => removeHost(queries, name, nowMs)),
  };
}

function enrol(queries: Queries, request: EnrolRequest, newHostId: string): EnrolResult {
  const { hostName, publicKey, machineSha256, nowMs, nameIsLinked } = request;
  const token = queries.select().from(joinTokens).where(eq(joinTokens.id, request.tokenId)).get();
  const matches = secretMatches(request.tokenSecret, token?.secretSha256 ?? NO_SUCH_TOKEN);
  const byName = findFacts(queries, eq(hosts.name, hostName));
  const byKey = findFacts(queries, eq(hosts.publicKey, publicKey));
  const replacesHostId = replacedHostId(queries, request.tokenId);
  const facts = token ? { ...token, replacesHostId, secretMatches: matches } : null;
  const keyRefused = findRefusedKey(queries, publicKey) !== undefined;
  const applicant = { hostName, publicKey, machineSha256, keyRefused, nowMs, nameIsLinked };
  const verdict = judgeEnrolment(applicant, facts, byName, byKey);
  if (verdict.kind === 'refuse') return { ok: false, reason: verdict.reason, detail: verdict.detail };

  if (verdict.kind === 'ask_first') return { ok: 'ask_first', host: storedHost(queries, verdict.hostId) };

  const identity = { name: hostName, publicKey, machineSha256 };
  const hostId = verdict.kind === 'add' ? newHostId : verdict.hostId;
  if (verdict.kind === 'add')
    queries
      .insert(hosts)
      .values({ hostId, ...identity, enrolledAtMs: nowMs })
      .run();
  const replaced =
    verdict.kind === 'renew' && byName?.publicKey !== publicKey ? byName?.publicKey : undefined;
  if (verdict.kind === 'renew') {
    if (replaced !== undefined) {
      refuseKey(queries, replaced, { hostName, reason: 'replaced', refusedAtMs: nowMs });
    }
    queries
      .update(hosts)
      .set({ ...identity, enrolledAtMs: nowMs })
      .where(eq(hosts.hostId, hostId))
      .run();
  }
  if (verdict.kind !== 'repeat') {
    const use = { usedAtMs: nowMs, usedByHostId: hostId };
    queries.update(joinTokens).set(use).where(eq(joinTokens.id, request.tokenId)).run();
    queries.insert(hostEvents).values({ hostId, atMs: nowMs, event: 'joined', detail: null }).run();
  }
  return { ok: true, host: storedHost(queries, hostId), keyReplaced: replaced !== undefined };
}

/** Of a host that was just read or written. */
function storedHost(queries: Queries, hostId: string): StoredHost {
  const host = toStoredHost(select(queries).where(eq(hosts.hostId, hostId)).get());
  if (!host)
    throw new RegistryError('registry_failed', 'hosts', 'lost the host that was just written', 'report this');
  return host;
}

function findFacts(queries: Queries, where: SQL): HostFacts | null {
  const host = queries.select().from(hosts).where(where).get();
  if (!host) return null;
  return { ...host, revoked: findRefusedKey(queries, host.publicKey) !== undefined };
}

function select(queries: Queries) {
  return queries
    .select({ host: hosts, seen: hostObservations, revokedAtMs: refusedKeys.refusedAtMs })
    .from(hosts)
    .leftJoin(hostObservations, eq(hosts.hostId, hostObservations.hostId))
    .leftJoin(refusedKeys, eq(hosts.publicKey, refusedKeys.publicKey))
    .$dynamic();
}

type Row = NonNullable<ReturnType<ReturnType<typeof select>['get']>>;

function toStoredHost(row: Row | undefined): StoredHost | undefined {
  if (!row) return undefined;
  const { host, seen, revokedAtMs } = row;
  return {
    ...host,
    revokedAtMs,
    lastSeenMs: seen?.lastSeenMs ?? null,
    lastGoodbyeReason: seen?.lastGoodbyeReason ?? null,
    agentVersion: seen?.agentVersion ?? null,
    clockSkewMs: seen?.clockSkewMs ?? null,
    inventory: readJson(hostInventorySchema, seen?.inventory) ?? null,
    lastIssues: readJson(issuesSchema, seen?.issues) ?? [],
    lastReplicas: readJson(replicasSchema, seen?.replicas) ?? [],
  };
}

/** What was last seen is a convenience: what an older program wrote and this one cannot read counts as not seen. */
function readJson<Value>(schema: z.ZodType<Value>, text: string | null | undefined): Value | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

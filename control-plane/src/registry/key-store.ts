import { and, eq, isNull } from 'drizzle-orm';
import {
  ANONYMOUS_KEY,
  KEY_SECRET_PREFIX,
  type KeyChange,
  type KeyPolicy,
  type KeyRefusal,
  type KeyStore,
  type NewKeySecret,
  type StoredKey,
} from './key-types.js';
import { apiKeySecrets, apiKeys } from './keys-schema.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import { hashSecret } from './token-secret.js';

const HINT_CHARS = KEY_SECRET_PREFIX.length + 4;

/** Until an operator sets it: as it was before there were keys. */
const ANONYMOUS_DEFAULT: StoredKey = {
  keyId: ANONYMOUS_KEY,
  name: ANONYMOUS_KEY,
  roles: null,
  mayWake: true,
  mayCloud: true,
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null },
  keepBodiesDays: null,
  defaultClass: null,
  mostUrgentClass: null,
  createdAtMs: 0,
  rotatedAtMs: null,
  revokedAtMs: null,
  secrets: [],
};

/**
 * Keys are few and asked for with every request: all are held in memory, and read again after each write.
 *
 * @param randomBytes cryptographically random
 */
export function createKeyStore(database: RegistryDatabase, randomBytes: (size: number) => Buffer): KeyStore {
  return new MemoryKeyStore(database, randomBytes);
}

class MemoryKeyStore implements KeyStore {
  readonly #database: RegistryDatabase;
  readonly #randomBytes: (size: number) => Buffer;
  readonly #listeners = new Set<() => void>();
  #keys: readonly StoredKey[];

  constructor(database: RegistryDatabase, randomBytes: (size: number) => Buffer) {
    this.#database = database;
    this.#randomBytes = randomBytes;
    this.#keys = database.read(readAll);
  }

  list(): readonly StoredKey[] {
    return this.#keys;
  }

  find(nameOrId: string): StoredKey | undefined {
    const named = this.#keys.filter(({ name, keyId }) => name === nameOrId || keyId === nameOrId);
    return named.find(({ revokedAtMs }) => revokedAtMs === null) ?? named.at(-1);
  }

  create(name: string, policy: KeyPolicy, nowMs: number): NewKeySecret | KeyRefusal {
    if (this.#keys.some((key) => key.name === name && key.revokedAtMs === null)) return 'name_taken';
    const keyId = `key-${this.#randomBytes(8).toString('hex')}`;
    const secret = this.#newSecret();
    this.#write((queries) => {
      queries
        .insert(apiKeys)
        .values({ keyId, name, createdAtMs: nowMs, ...toRow(policy) })
        .run();
      insertSecret(queries, keyId, secret, nowMs);
    });
    return { key: this.#known(keyId), secret };
  }

  change(nameOrId: string, change: KeyChange, nowMs: number): StoredKey | KeyRefusal {
    const key = this.#changeable(nameOrId);
    if (typeof key === 'string') return key;
    const row = toRow({ ...key, ...change, limits: { ...key.limits, ...change.limits } });
    this.#write((queries) => {
      const inserted = { keyId: key.keyId, name: key.name, createdAtMs: nowMs, ...row };
      queries.insert(apiKeys).values(inserted).onConflictDoUpdate({ target: apiKeys.keyId, set: row }).run();
    });
    return this.#known(key.keyId);
  }

  rotate(nameOrId: string, graceMs: number, nowMs: number): NewKeySecret | KeyRefusal {
    const key = this.#changeable(nameOrId);
    if (typeof key === 'string') return key;
    if (key.keyId === ANONYMOUS_KEY) return 'has_no_secret';
    const secret = this.#newSecret();
    this.#write((queries) => {
      queries
        .update(apiKeySecrets)
        .set({ validUntilMs: nowMs + graceMs })
        .where(and(eq(apiKeySecrets.keyId, key.keyId), isNull(apiKeySecrets.validUntilMs)))
        .run();
      insertSecret(queries, key.keyId, secret, nowMs);
      queries.update(apiKeys).set({ rotatedAtMs: nowMs }).where(eq(apiKeys.keyId, key.keyId)).run();
    });
    return { key: this.#known(key.keyId), secret };
  }

  revoke(nameOrId: string, nowMs: number): StoredKey | KeyRefusal {
    const key = this.#changeable(nameOrId);
    if (typeof key === 'string') return key;
    if (key.keyId === ANONYMOUS_KEY) return 'has_no_secret';
    this.#write((queries) => {
      queries.update(apiKeys).set({ revokedAtMs: nowMs }).where(eq(apiKeys.keyId, key.keyId)).run();
    });
    return this.#known(key.keyId);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changeable(nameOrId: string): StoredKey | KeyRefusal {
    const key = this.find(nameOrId);
    if (key === undefined) return 'unknown';
    return key.revokedAtMs === null ? key : 'revoked';
  }

  #newSecret(): string {
    return KEY_SECRET_PREFIX + this.#randomBytes(32).toString('base64url');
  }

  #write(work: (queries: Queries) => void): void {
    this.#keys = this.#database.write((queries) => {
      work(queries);
      return readAll(queries);
    });
    for (const listener of this.#listeners) listener();
  }

  #known(keyId: string): StoredKey {
    const key = this.#keys.find((each) => each.keyId === keyId);
    if (key === undefined) throw new Error(`the key ${keyId} was written and is not there`);
    return key;
  }
}

function insertSecret(queries: Queries, keyId: string, secret: string, nowMs: number): void {
  const hint = `${secret.slice(0, HINT_CHARS)}…`;
  const row = { secretSha256: hashSecret(secret), keyId, hint, createdAtMs: nowMs };
  queries.insert(apiKeySecrets).values(row).run();
}

function toRow({ roles, mayWake, mayCloud, expiresAtMs, limits, ...policy }: KeyPolicy) {
  const { keepBodiesDays, defaultClass, mostUrgentClass } = policy;
  const { requestsPerMinute, tokensPerMinute, concurrentRequests } = limits;
  return {
    roles: roles === null ? null : JSON.stringify(roles),
    ...{ mayWake, mayCloud, expiresAtMs, requestsPerMinute, tokensPerMinute, concurrentRequests },
    ...{ keepBodiesDays, defaultClass, mostUrgentClass },
  };
}

function readAll(queries: Queries): StoredKey[] {
  const secretsOf = new Map<string, StoredKey['secrets'][number][]>();
  const rows = queries.select().from(apiKeySecrets).all();
  for (const { keyId, ...secret } of rows.toSorted((a, b) => b.createdAtMs - a.createdAtMs)) {
    const secrets = secretsOf.get(keyId) ?? [];
    // The one in use first, also when two were made in one millisecond.
    if (secret.validUntilMs === null) secrets.unshift(secret);
    else secrets.push(secret);
    secretsOf.set(keyId, secrets);
  }
  const keys = queries.select().from(apiKeys).orderBy(apiKeys.name, apiKeys.createdAtMs).all();
  const stored = keys.map(({ requestsPerMinute, tokensPerMinute, concurrentRequests, roles, ...rest }) => ({
    ...rest,
    roles: roles === null ? null : readNames(roles),
    limits: { requestsPerMinute, tokensPerMinute, concurrentRequests },
    secrets: secretsOf.get(rest.keyId) ?? [],
  }));
  const anonymous = stored.find(({ keyId }) => keyId === ANONYMOUS_KEY) ?? ANONYMOUS_DEFAULT;
  return [anonymous, ...stored.filter((key) => key !== anonymous)];
}

/** What cannot be read allows nothing. */
function readNames(json: string): readonly string[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

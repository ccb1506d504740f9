import type { Clock } from '@ai-fabric/shared';
import { ANONYMOUS_KEY, KEY_SECRET_PREFIX, type KeyStore, type StoredKey } from '../../registry/key-types.js';
import type { GatewayKey } from '../request-context.js';
import type { KeyLookup } from './key-lookup.js';
import type { PresentedBearer } from './presented-bearer.js';

export interface KeyRingParts {
  readonly store: Pick<KeyStore, 'list' | 'onChange'>;
  readonly isAdminToken: (presented: string) => boolean;
  /** A key was revoked: what it has under way is to end. */
  readonly onRevoked: (keyId: string) => void;
  readonly clock: Clock;
}

interface Entry {
  readonly key: GatewayKey;
  /** Of the secret. */
  readonly validUntilMs: number;
  /** Of the key. */
  readonly expiresAtMs: number;
  readonly isRevoked: boolean;
}

const NO_LIMITS = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null };

/**
 * The admin token opens `/v1` from anywhere until there are keys, so that an operator can try the fabric; and from
 * trusted addresses ever after, so that what the operator checks with it is not held to the limits of `anonymous`.
 */
const ADMIN: GatewayKey = {
  keyId: 'admin',
  name: 'admin',
  roles: null,
  mayWake: true,
  mayCloud: true,
  limits: NO_LIMITS,
  classes: { defaultClass: null, mostUrgentClass: null },
  keepsBodies: false,
};

/** Keys by the SHA-256 of their secrets, in memory: a digest that is found tells nothing of those that are not. */
export class KeyRing implements KeyLookup {
  readonly #parts: KeyRingParts;
  readonly #stopListening: () => void;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #revoked: ReadonlySet<string> = new Set();
  #hasKeys = false;
  #anonymous = ADMIN;

  constructor(parts: KeyRingParts) {
    this.#parts = parts;
    this.#load();
    this.#stopListening = parts.store.onChange(() => this.#reload());
  }

  get anonymous(): GatewayKey {
    return this.#anonymous;
  }

  find(bearer: PresentedBearer, isTrusted: boolean): GatewayKey | 'unknown' | 'revoked' | 'expired' {
    const entry = bearer.text.startsWith(KEY_SECRET_PREFIX) ? this.#entries.get(bearer.sha256) : undefined;
    if (entry === undefined) return this.#findAdmin(bearer.text, isTrusted);
    if (entry.isRevoked) return 'revoked';
    const nowMs = this.#parts.clock.nowMs();
    return nowMs < entry.validUntilMs && nowMs < entry.expiresAtMs ? entry.key : 'expired';
  }

  #findAdmin(bearer: string, isTrusted: boolean): GatewayKey | 'unknown' {
    if (this.#hasKeys && !isTrusted) return 'unknown';
    return this.#parts.isAdminToken(bearer) ? ADMIN : 'unknown';
  }

  close(): void {
    this.#stopListening();
  }

  #reload(): void {
    const before = this.#revoked;
    this.#load();
    for (const keyId of this.#revoked) {
      if (!before.has(keyId)) this.#parts.onRevoked(keyId);
    }
  }

  #load(): void {
    const keys = this.#parts.store.list();
    const entries = new Map<string, Entry>();
    for (const key of keys) {
      const gatewayKey = toGatewayKey(key);
      if (key.keyId === ANONYMOUS_KEY) this.#anonymous = gatewayKey;
      for (const secret of key.secrets) {
        entries.set(secret.secretSha256, {
          key: gatewayKey,
          validUntilMs: secret.validUntilMs ?? Number.POSITIVE_INFINITY,
          expiresAtMs: key.expiresAtMs ?? Number.POSITIVE_INFINITY,
          isRevoked: key.revokedAtMs !== null,
        });
      }
    }
    this.#entries = entries;
    this.#revoked = new Set(keys.filter(({ revokedAtMs }) => revokedAtMs !== null).map(({ keyId }) => keyId));
    this.#hasKeys = keys.some(({ keyId, revokedAtMs }) => keyId !== ANONYMOUS_KEY && revokedAtMs === null);
  }
}

function toGatewayKey({ roles, keepBodiesDays, ...key }: StoredKey): GatewayKey {
  const { keyId, name, mayWake, mayCloud, limits, defaultClass, mostUrgentClass } = key;
  return {
    ...{ keyId, name, mayWake, mayCloud, limits },
    roles: roles === null ? null : new Set(roles),
    classes: { defaultClass, mostUrgentClass },
    keepsBodies: keepBodiesDays !== null,
  };
}

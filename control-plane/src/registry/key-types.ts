import type { RequestClass } from '../declared/request-class.js';

/** What a key may use in a minute, and at once. `null`: without a limit; 0: nothing is allowed. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrentRequests: number | null;
}

/** How urgent a key's requests are where they wait. */
export interface KeyClasses {
  /** Where they do not say; `null`: as their role declares. */
  readonly defaultClass: RequestClass | null;
  /** Whatever they and their role say; `null`: as urgent as they ask to be. */
  readonly mostUrgentClass: RequestClass | null;
}

/** What an operator decides about a key. */
export interface KeyPolicy extends KeyClasses {
  /** Roles, aliases, deployments and providers' models that it may ask for; `null`: all. */
  readonly roles: readonly string[] | null;
  /** Whether its requests may wake a host. */
  readonly mayWake: boolean;
  /** Whether its requests may go to a provider. */
  readonly mayCloud: boolean;
  readonly expiresAtMs: number | null;
  readonly limits: KeyLimits;
  /** How long what its requests and their answers said is kept; `null`: not at all. */
  readonly keepBodiesDays: number | null;
}

/** A change of some of a key's policy; limits too may be given one by one. */
export interface KeyChange extends Partial<Omit<KeyPolicy, 'limits'>> {
  readonly limits?: Partial<KeyLimits>;
}

export interface StoredKey extends KeyPolicy {
  readonly keyId: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly rotatedAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** Newest first: the one in use, and those that were rotated out. Of `anonymous` there is none. */
  readonly secrets: readonly StoredKeySecret[];
}

export interface StoredKeySecret {
  readonly secretSha256: string;
  /** Its first characters. */
  readonly hint: string;
  readonly createdAtMs: number;
  /** `null`: the one in use. */
  readonly validUntilMs: number | null;
}

export interface NewKeySecret {
  readonly key: StoredKey;
  /** The only time that it is shown; its SHA-256 is what is kept. */
  readonly secret: string;
}

/** Why a key cannot be changed. */
export type KeyRefusal = 'unknown' | 'name_taken' | 'revoked' | 'has_no_secret';

/** The key of whoever is trusted by address and brings no key. It has no secret and cannot be revoked. */
export const ANONYMOUS_KEY = 'anonymous';

/** By which a secret is known for one of ours: in a log that leaked, in a repository. */
export const KEY_SECRET_PREFIX = 'sk-fabric-';

/** Keys by id or name; a revoked one by its id alone where another has its name. */
export interface KeyStore {
  /** From memory. `anonymous` first, then by name; revoked ones too. */
  list(): readonly StoredKey[];
  find(nameOrId: string): StoredKey | undefined;
  /** All of these are committed before they return, and throw `RegistryError` when the file cannot be written. */
  create(name: string, policy: KeyPolicy, nowMs: number): NewKeySecret | KeyRefusal;
  change(nameOrId: string, change: KeyChange, nowMs: number): StoredKey | KeyRefusal;
  /** @param graceMs how long the secret that is in use stays good */
  rotate(nameOrId: string, graceMs: number, nowMs: number): NewKeySecret | KeyRefusal;
  revoke(nameOrId: string, nowMs: number): StoredKey | KeyRefusal;
  /** Called after each change is committed. @returns what ends it */
  onChange(listener: () => void): () => void;
}

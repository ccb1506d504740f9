export type JoinTokenState = 'unused' | 'used' | 'expired' | 'revoked';

export interface StoredJoinToken {
  readonly id: string;
  readonly state: JoinTokenState;
  /** Only a host of this name may use it; `null`: any. */
  readonly hostName: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly usedByHost: string | null;
}

export interface TokenRequest {
  readonly hostName?: string;
  readonly ttlSeconds: number;
  readonly nowMs: number;
}

export interface NewJoinToken {
  readonly id: string;
  readonly secret: string;
  readonly expiresAtMs: number;
}

/** All calls are synchronous and throw `RegistryError` when the file cannot be read or written. */
export interface TokenStore {
  /** The secret is returned here once; only its SHA-256 is kept. */
  create(request: TokenRequest): NewJoinToken;
  /** Newest first. */
  list(nowMs: number): readonly StoredJoinToken[];
  /** @returns false when no unused token has this id */
  revoke(id: string, nowMs: number): boolean;
}

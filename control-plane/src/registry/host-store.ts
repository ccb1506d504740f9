import type { HostInventory, Issue, ReplicaStatus } from '@ai-fabric/shared';

/** A host that has enrolled, with what was last known of it. */
export interface StoredHost {
  readonly hostId: string;
  readonly name: string;
  /** Ed25519, DER SPKI, base64. */
  readonly publicKey: string;
  readonly machineSha256: string;
  readonly enrolledAtMs: number;
  readonly draining: boolean;
  readonly lastSeenMs: number | null;
  /** Cleared when the host links again. */
  readonly lastGoodbyeReason: string | null;
  readonly agentVersion: string | null;
  readonly clockSkewMs: number | null;
  readonly inventory: HostInventory | null;
  readonly lastIssues: readonly Issue[];
  readonly lastReplicas: readonly ReplicaStatus[];
}

export interface EnrolRequest {
  readonly tokenId: string;
  readonly tokenSecret: string;
  readonly hostName: string;
  readonly publicKey: string;
  readonly machineSha256: string;
  readonly nowMs: number;
}

export type EnrolRefusal =
  | 'token_unknown'
  | 'token_used'
  | 'token_expired'
  | 'name_taken'
  /** The key belongs to a host on another machine: a copied disk. */
  | 'machine_mismatch';

export type EnrolResult =
  | { readonly ok: true; readonly host: StoredHost }
  /** `detail` is for the operator, with the fix; it holds no secret. */
  | { readonly ok: false; readonly reason: EnrolRefusal; readonly detail: string };

/** All calls are synchronous and throw `RegistryError` when the file cannot be read or written. */
export interface HostStore {
  /** Takes the token and the host in one transaction; a refused host leaves the token unused. */
  enrol(request: EnrolRequest): EnrolResult;
  findByPublicKey(publicKey: string): StoredHost | undefined;
  findByName(name: string): StoredHost | undefined;
  /** By name. */
  list(): readonly StoredHost[];
  /** Committed before it returns. @returns false when no host has this name */
  setDraining(name: string, draining: boolean): boolean;
}

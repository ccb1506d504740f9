import type { HostInventory, Issue, ReplicaStatus } from '@ai-fabric/shared';
import type { DeclaredFinding } from '../declared/decide/declared-finding.js';
import type { DeclaredSource, DeclaredState } from '../declared/declared-state.js';
import type { RollUp } from '../history/decide/open-stretch.js';
import type { KeyStore } from './key-types.js';
import type { PowerObservation, PowerStore } from './power-types.js';
import type { QueryName, QueryParams, QueryResult } from './reader-queries.js';
import type { RequestLog } from './request-types.js';
import type { WriteJournal } from './write-journal.js';

/** Everything that outlives the process. One control plane at a time has a data directory; see `openRegistry`. */
export interface Registry {
  readonly declared: DeclaredStore;
  readonly hosts: HostStore;
  readonly tokens: TokenStore;
  readonly writes: WriteJournal;
  readonly keys: KeyStore;
  readonly observations: ObservationWriter;
  readonly learned: LearnedStore;
  readonly power: PowerStore;
  /** The latest first. @throws {RegistryError} */
  hostEvents(limit: number): readonly HostEvent[];
  readonly requestLog: RequestLog;
  /** Long reads, on a thread of their own. */
  readonly reader: RegistryQueries;
  /** Writes what is queued (bounded in time), closes the file and lets go of the data directory. */
  close(): Promise<void>;
}

export interface RegistryQueries {
  /** Rejects with a `RegistryError`: see `RegistryReader`. */
  query<Name extends QueryName>(name: Name, params: QueryParams<Name>): Promise<QueryResult<Name>>;
}

export type ReplaceResult =
  | { readonly ok: true; readonly state: DeclaredState; readonly changed: boolean }
  /** Somebody else changed it in between: read again, decide again. */
  | { readonly ok: false; readonly reason: 'revision_conflict'; readonly currentRevision: number }
  | { readonly ok: false; readonly reason: 'invalid'; readonly findings: readonly DeclaredFinding[] };

export interface DeclaredStore extends DeclaredSource {
  /**
   * Puts `next` in the place of the whole declared state: one transaction or nothing, committed before it
   * returns, listeners called after. `next.revision` is ignored: the revision rises by one, or stays when
   * nothing differs.
   *
   * @throws {RegistryError} registry_busy, registry_full, registry_read_only
   */
  replace(next: DeclaredState, expectedRevision: number): ReplaceResult;
}

/** A host that has enrolled, with what was last known of it. */
export interface StoredHost {
  readonly hostId: string;
  readonly name: string;
  /** Ed25519, DER SPKI, base64. */
  readonly publicKey: string;
  readonly machineSha256: string;
  readonly enrolledAtMs: number;
  readonly draining: boolean;
  /** Its key is refused since then. */
  readonly revokedAtMs: number | null;
  readonly lastSeenMs: number | null;
  /** Cleared when the host links again. */
  readonly lastGoodbyeReason: string | null;
  readonly agentVersion: string | null;
  readonly clockSkewMs: number | null;
  readonly inventory: HostInventory | null;
  readonly lastIssues: readonly KnownIssue[];
  readonly lastReplicas: readonly ReplicaStatus[];
}

/** An issue, with the time since which it is known, on the server's clock. An older program stored none. */
export type KnownIssue = Issue & { readonly sinceMs?: number | undefined };

export interface EnrolRequest {
  readonly tokenId: string;
  readonly tokenSecret: string;
  readonly hostName: string;
  readonly publicKey: string;
  readonly machineSha256: string;
  readonly nowMs: number;
  /** Somebody has a link under this name, and was not asked yet whether it lives. */
  readonly nameIsLinked: boolean;
}

export type EnrolRefusal =
  | 'token_unknown'
  | 'token_used'
  | 'token_expired'
  | 'name_taken'
  /** The key belongs to a host on another machine: a copied disk. */
  | 'machine_mismatch'
  /** The key was revoked, or replaced by another. */
  | 'revoked';

export type EnrolResult =
  /** `keyReplaced`: whoever has a link as this host has it with a key that is not the host's any more. */
  | { readonly ok: true; readonly host: StoredHost; readonly keyReplaced: boolean }
  /** The linked host would lose its key: ask whether it lives, then call again. Nothing was written. */
  | { readonly ok: 'ask_first'; readonly host: StoredHost }
  /** `detail` is for the operator, with the fix; it holds no secret. */
  | { readonly ok: false; readonly reason: EnrolRefusal; readonly detail: string };

/** All calls are synchronous and throw `RegistryError` when the file cannot be read or written. */
export interface HostStore {
  /** Takes the token and the host in one transaction; a refused host leaves the token unused. */
  enrol(request: EnrolRequest): EnrolResult;
  findByPublicKey(publicKey: string): StoredHost | undefined;
  findByName(name: string): StoredHost | undefined;
  /** Why nobody may come with this key; `undefined`: nothing is known against it. */
  findRefusedKey(publicKey: string): RefusedKey | undefined;
  /** By name. */
  list(): readonly StoredHost[];
  /** Newest first. */
  recentEvents(hostId: string, limit: number): readonly StoredHostEvent[];
  /** Committed before it returns. @returns false when no host has this name */
  setDraining(name: string, draining: boolean): boolean;
  /** Refuses its key from now on; committed before it returns. @returns since when; `null` when no host has this name */
  revoke(name: string, nowMs: number): number | null;
  /** Forgets the host, what was seen of it, and tokens that would bring it back. @returns false when no host has this name */
  remove(name: string, nowMs: number): boolean;
}

export interface RefusedKey {
  readonly hostName: string;
  readonly reason: 'revoked' | 'replaced';
  readonly refusedAtMs: number;
}

export interface StoredHostEvent {
  readonly atMs: number;
  readonly event: string;
  readonly detail: string | null;
}

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
  /** The host whose key the newcomer's is to replace. */
  readonly replacesHostId?: string;
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

interface Seen {
  readonly hostId: string;
  /** Server's clock. */
  readonly atMs: number;
}

/** What is seen of an enrolled host. A later one replaces an earlier one of its kind, events and telemetry apart. */
export type Observation = SeenObservation | LearnedObservation;

/** What was seen of a host. */
export type SeenObservation =
  /** `null` in `agentVersion` or `clockSkewMs`: not known, what is stored stays. */
  | (Seen & {
      readonly kind: 'hostSeen';
      readonly agentVersion: string | null;
      readonly clockSkewMs: number | null;
    })
  | (Seen & { readonly kind: 'hostInventory'; readonly inventory: HostInventory })
  | (Seen & { readonly kind: 'hostIssues'; readonly issues: readonly KnownIssue[] })
  /** All replicas of the host: one that is not among them is gone. */
  | (Seen & { readonly kind: 'hostReplicas'; readonly replicas: readonly ReplicaStatus[] })
  /** History: kept one by one, bounded. `linked` clears the last goodbye; `detail` is a goodbye's reason. */
  | (Seen & { readonly kind: 'hostEvent'; readonly event: HostEventKind; readonly detail: string | null })
  | PowerObservation
  | TelemetryMinute;

/** What was learned of an engine or of answers: the latest of each counts. No host needs to be enrolled for it. */
export type LearnedObservation =
  | {
      readonly kind: 'learnedRates';
      readonly host: string;
      readonly model: string;
      readonly image: string;
      readonly state: string;
      readonly atMs: number;
    }
  /** Of all images of the model on that host. */
  | { readonly kind: 'ratesForgotten'; readonly host: string; readonly model: string; readonly atMs: number }
  | {
      readonly kind: 'answerLengths';
      readonly role: string;
      /** `''`: the role's own. */
      readonly key: string;
      readonly state: string;
      readonly atMs: number;
    };

/** As they were written; what stands in `state` is for who wrote it to check. The latest first, bounded. */
export interface LearnedRecords {
  readonly rates: readonly {
    readonly host: string;
    readonly model: string;
    readonly image: string;
    readonly state: string;
  }[];
  readonly lengths: readonly { readonly role: string; readonly key: string; readonly state: string }[];
}

export interface LearnedStore {
  /** @throws {RegistryError} */
  load(): LearnedRecords;
  /** Never blocks, never throws. */
  save(learned: LearnedObservation): void;
}

/** One minute of a host's telemetry, or a late part of it. `atMs` is where the minute begins. */
export type TelemetryMinute = Seen & {
  readonly kind: 'telemetryMinute';
  /** Of this process: with `seq`, which rises by one, it tells what was written before. */
  readonly runId: string;
  readonly seq: number;
  readonly series: RollUp['series'];
};

export interface HostEvent {
  readonly host: string;
  readonly atMs: number;
  readonly event: HostEventKind;
  readonly detail: string | null;
}

export type HostEventKind = 'linked' | 'late' | 'away' | 'goodbye';

export interface ObservationWriter {
  /** Never blocks, never throws. */
  enqueue(observation: Observation): void;
  /** Waiting to be written, a batch under way included. */
  readonly queuedCount: number;
  /** The minutes of telemetry among them. */
  waitingTelemetry(): readonly TelemetryMinute[];
  /** Lost since start: the queue or the disk was full, or the file could not be written for too long. */
  readonly droppedCount: number;
}

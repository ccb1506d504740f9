import type {
  HostInventory,
  Issue,
  Orphan,
  OwnerReport,
  ReplicaStatus,
  TelemetrySample,
  UpgradeReport,
} from '@ai-fabric/shared';

/** A sample on the server's clock. */
export interface PlacedSample {
  readonly sample: TelemetrySample;
  /** Buffered while the link was down: it belongs in its place in the past. */
  readonly backfilled: boolean;
}

/** A report of a linked host as the live view takes it in. What is `undefined` is unchanged. */
export interface HostReport {
  /** Server's clock less the agent's, the way of the frame included. */
  readonly clockSkewMs: number;
  readonly samples: readonly PlacedSample[];
  readonly inventory?: HostInventory | undefined;
  readonly replicas?: readonly ReplicaStatus[] | undefined;
  readonly issues?: readonly Issue[] | undefined;
  readonly orphans?: readonly Orphan[] | undefined;
  readonly droppedSamples?: number | undefined;
  readonly owner?: OwnerReport | undefined;
  /** `null`: none any more. */
  readonly upgrade?: UpgradeReport | null | undefined;
}

/** A host as it was last known before this process began. The registry's stored hosts fit. */
export interface KnownHost {
  readonly hostId: string;
  readonly name: string;
  readonly draining: boolean;
  readonly revokedAtMs: number | null;
  readonly lastSeenMs: number | null;
  readonly lastGoodbyeReason: string | null;
  readonly agentVersion: string | null;
  readonly clockSkewMs: number | null;
  readonly inventory: HostInventory | null;
  readonly lastIssues: readonly (Issue & { readonly sinceMs?: number | undefined })[];
  readonly lastReplicas: readonly ReplicaStatus[];
}

/** Who came on a link. */
export interface LinkedHost {
  readonly hostId: string;
  readonly name: string;
  readonly agentVersion: string;
  /** Of the sources of its agent, and whether that is a single executable of a release. Left out where it does not tell. */
  readonly commit?: string | undefined;
  readonly packaged?: boolean | undefined;
  readonly protocolVersion?: number;
  readonly peerAddress: string;
  readonly draining: boolean;
}

/** A host that became late or away because nothing was heard of it. */
export interface PresenceChange {
  readonly name: string;
  readonly hostId: string | null;
  readonly presence: 'late' | 'away';
}

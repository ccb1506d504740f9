import type {
  EngineReading,
  HostInventory,
  Issue,
  Orphan,
  OwnerReport,
  ReplicaStatus,
  TelemetrySample,
  UpgradeReport,
} from '@ai-fabric/shared';
import type { HostPower } from './host-power.js';

/**
 * `online`: heard from within 12 s; `late`: within 30 s; `away`: silent for longer, or it said that it goes;
 * `unseen`: declared, never linked. A link that only broke leaves its host where its silence puts it.
 * A host that is away with `mayBeAway` is in a normal state.
 */
export type Presence = 'online' | 'late' | 'away' | 'unseen';

/** `sinceMs`: first seen, server's clock. */
export type LiveIssue = Issue & { readonly sinceMs: number };

export interface LiveHost {
  readonly name: string;
  readonly hostId: string | null;
  readonly presence: Presence;
  readonly presenceSinceMs: number;
  /** Why it went away, when it said so. */
  readonly goodbyeReason: string | null;
  readonly lastSeenMs: number | null;
  readonly agentVersion: string | null;
  /** Of the sources that its agent was built from; `null`: not told since this process began. */
  readonly agentCommit: string | null;
  /** Its agent is a single executable of a release; `null`: not told since this process began. */
  readonly agentPackaged: boolean | null;
  /** What its agent speaks; `null`: not linked since this process began. */
  readonly protocolVersion: number | null;
  readonly peerAddress: string | null;
  readonly clockSkewMs: number | null;
  readonly draining: boolean;
  /** Its engines can be asked through its agent. */
  readonly tunnelUp: boolean;
  /** Its key is refused since then. */
  readonly revokedAtMs: number | null;
  readonly inventory: HostInventory | null;
  /** `atMs` here is on the server's clock. Kept, and old, while the host is away. */
  readonly sample: TelemetrySample | null;
  readonly issues: readonly LiveIssue[];
  /** Containers with our label on it that nothing declares. */
  readonly orphans: readonly Orphan[];
  readonly droppedSamples: number;
  /** Whose its cards are; `null`: not told on this link. */
  readonly owner: OwnerReport | null;
  /** Server's clock: since when `owner` is in its state. */
  readonly ownerSinceMs: number | null;
  readonly power: HostPower;
  /** How far an upgrade of its agent is, as that one told last on this link; `null`: none. */
  readonly upgrade: UpgradeReport | null;
}

export interface LiveReplica {
  readonly deployment: string;
  readonly host: string;
  readonly status: ReplicaStatus;
  /** Server's clock: since when it is in its phase. */
  readonly phaseSinceMs: number;
  readonly reading: EngineReading | null;
  /** Server's clock, when `reading` was taken. A host that is away leaves the last one here, and old. */
  readonly readingAtMs: number | null;
}

export type LiveChange =
  | { readonly kind: 'host'; readonly host: LiveHost }
  | { readonly kind: 'hostRemoved'; readonly name: string }
  | {
      readonly kind: 'sample';
      readonly host: string;
      readonly sample: TelemetrySample;
      readonly backfilled: boolean;
    }
  /** It came, or its status changed. Its readings come with its host's samples. */
  | { readonly kind: 'replica'; readonly replica: LiveReplica }
  | { readonly kind: 'replicaRemoved'; readonly deployment: string };

/** The in-memory picture of the fleet, as everybody but the link reads it. */
export interface LiveView {
  hosts(): Iterable<LiveHost>;
  host(name: string): LiveHost | undefined;
  replica(deployment: string): LiveReplica | undefined;
  replicas(): Iterable<LiveReplica>;
  /** Deployments that a host last reported a replica of, and that are not declared on it: nothing else of them is believed. */
  undeclaredReplicas(host: string): readonly string[];
  /** Samples of the last 15 minutes, oldest first, server's clock, backfilled ones in their place. */
  history(host: string, fromMs: number, toMs: number): readonly TelemetrySample[];
  /** Listeners are called synchronously and must not throw. @returns a function that ends the subscription */
  onChange(listener: (change: LiveChange) => void): () => void;
}

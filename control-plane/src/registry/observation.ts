import type { HostInventory, Issue, ReplicaStatus } from '@ai-fabric/shared';

/** What is seen of an enrolled host, on the server's clock. Later ones replace earlier ones of their kind. */
export type Observation =
  /** `null` in `agentVersion` or `clockSkewMs`: not known, what is stored stays. */
  | {
      readonly kind: 'hostSeen';
      readonly hostId: string;
      readonly atMs: number;
      readonly agentVersion: string | null;
      readonly clockSkewMs: number | null;
    }
  | {
      readonly kind: 'hostInventory';
      readonly hostId: string;
      readonly atMs: number;
      readonly inventory: HostInventory;
    }
  | {
      readonly kind: 'hostIssues';
      readonly hostId: string;
      readonly atMs: number;
      readonly issues: readonly Issue[];
    }
  /** All replicas of the host: one that is not among them is gone. */
  | {
      readonly kind: 'hostReplicas';
      readonly hostId: string;
      readonly atMs: number;
      readonly replicas: readonly ReplicaStatus[];
    }
  /** History: kept one by one, bounded. `linked` clears the last goodbye; `detail` is a goodbye's reason. */
  | {
      readonly kind: 'hostEvent';
      readonly hostId: string;
      readonly atMs: number;
      readonly event: HostEventKind;
      readonly detail: string | null;
    };

export type HostEventKind = 'linked' | 'late' | 'away' | 'goodbye';

export interface ObservationWriter {
  /** Never blocks, never throws. */
  enqueue(observation: Observation): void;
  /** Waiting to be written, a batch under way included. */
  readonly queuedCount: number;
  /** Lost since start: the queue or the disk was full, or the file could not be written for too long. */
  readonly droppedCount: number;
}

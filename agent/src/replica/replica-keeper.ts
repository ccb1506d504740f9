import {
  type Clock,
  type DesiredReplica,
  describeReplica,
  type EngineReading,
  type Issue,
  type ReplicaStatus,
  type VllmReplica,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { EngineAddress } from './engine-address.js';
import { externalKeeper } from './external-keeper.js';

/** Keeps one replica as it is desired, and says what it sees of it. */
export interface ReplicaKeeper {
  /** Where a request goes that came through the tunnel; `null`: nowhere, now or ever. */
  engineAddress(): EngineAddress | null;
  status(): ReplicaStatus;
  issues(): readonly Issue[];
  /** `null` where there is none that is still true. */
  reading(): EngineReading | null;
  /** Reads the engine's metrics anew, where it has any. Resolves when done, whatever came of it. */
  refreshReading(): Promise<void>;
  close(): Promise<void>;
}

export interface KeeperOptions {
  readonly desired: DesiredReplica;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a live engine is looked at, in milliseconds. */
  readonly cadenceMs: number;
  /** Called when the status or an issue changed, or the queue of the engine. */
  readonly onChange: () => void;
}

/** Who keeps a replica is a matter of its engine. */
export function openReplicaKeeper(options: KeeperOptions): ReplicaKeeper {
  const { desired } = options;
  switch (desired.engine) {
    case 'external':
      return externalKeeper({ ...options, desired });
    case 'vllm':
      return unsupportedKeeper(desired);
    default:
      return desired satisfies never;
  }
}

function unsupportedKeeper({ deployment }: VllmReplica): ReplicaKeeper {
  const detail = 'This agent does not run containers.';
  const status = describeReplica({ deployment, phase: 'failed', code: 'not_supported_here', detail });
  return {
    engineAddress: () => null,
    status: () => status,
    issues: () => [],
    reading: () => null,
    refreshReading: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

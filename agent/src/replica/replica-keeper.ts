import type { Clock, DesiredReplica, EngineReading, Issue, ReplicaStatus } from '@ai-fabric/shared';
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

/** Who keeps a replica is a matter of its engine; a container engine's keeper joins here. */
export function openReplicaKeeper(options: KeeperOptions): ReplicaKeeper {
  const { engine } = options.desired;
  switch (engine) {
    case 'external':
      return externalKeeper(options);
    default:
      return engine satisfies never;
  }
}

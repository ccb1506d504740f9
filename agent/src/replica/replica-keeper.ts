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
import type { LogLine, LogOptions } from '../containers/container-engine.js';
import { ContainerKeeper } from './container/container-keeper.js';
import type { KeptTools } from './container/kept-tools.js';
import type { Hold } from './decide/combine-holds.js';
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
  /** Takes another declaration. @returns false where it cannot: another keeper is to be opened */
  change(desired: DesiredReplica): boolean;
  /**
   * Drains it and frees its card, and keeps it so whatever is declared; with `null` it becomes what is declared again.
   * Resolves when its card is free, when nothing holds it any more, or when it is closed. What somebody else runs is left
   * as it is.
   */
  hold(hold: Hold | null): Promise<void>;
  /** The machine slept: what was proven of its card is to be proven again. */
  doubt(): void;
  /** What the engine says; `null` where that is not to be had. */
  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> | null;
  /** The deployment is gone: ends what was made for it, and closes. */
  retire(): Promise<void>;
  /** Leaves everything as it is. */
  close(): Promise<void>;
}

export interface KeeperOptions {
  readonly desired: DesiredReplica;
  /** What holds it down from the start. */
  readonly hold: Hold | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a live engine is looked at, in milliseconds. */
  readonly cadenceMs: number;
  /** Called when the status or an issue changed, or the queue of the engine. */
  readonly onChange: () => void;
  /** What keeps containers; `null` where this agent does not. */
  readonly containers: KeptTools | null;
}

/** Who keeps a replica is a matter of its engine. */
export function openReplicaKeeper(options: KeeperOptions): ReplicaKeeper {
  const { desired, hold, containers, onChange } = options;
  switch (desired.engine) {
    case 'external':
      return externalKeeper({ ...options, desired });
    case 'vllm':
      return containers === null
        ? unsupportedKeeper(desired)
        : new ContainerKeeper({ desired, hold, tools: containers, onChange });
    default:
      return desired satisfies never;
  }
}

function unsupportedKeeper({ deployment }: VllmReplica): ReplicaKeeper {
  const detail = 'This agent does not run containers.';
  const status = describeReplica({ deployment, phase: 'failed', code: 'not_supported_here', detail });
  return {
    engineAddress: () => null,
    change: () => false,
    hold: () => Promise.resolve(),
    doubt: () => undefined,
    logs: () => null,
    retire: () => Promise.resolve(),
    status: () => status,
    issues: () => [],
    reading: () => null,
    refreshReading: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

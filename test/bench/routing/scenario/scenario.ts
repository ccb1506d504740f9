import type { EngineShape } from '../../../simulators/batch-engine/engine-shape.js';
import type { ScenarioFile } from './scenario-schema.js';

export interface LabReplica {
  readonly deployment: string;
  readonly shape: EngineShape;
  /** Requests per second of this scenario's mean lengths that saturate it. */
  readonly capacityPerSecond: number;
}

/** A scenario, checked and worked out. Times in milliseconds. */
export interface Scenario extends Omit<ScenarioFile, 'fleet' | 'load' | 'outside' | 'events'> {
  readonly fleet: readonly LabReplica[];
  /** Mean over all the time. */
  readonly requestsPerSecond: number;
  readonly outside: readonly OutsideLoad[];
  readonly events: readonly ReplicaEvent[];
}

/** Requests that others send to a replica, unseen but for its gauges. */
export interface OutsideLoad {
  readonly replica: number;
  readonly requestsPerSecond: number;
  readonly onMs: number;
  readonly offMs: number;
}

export type ReplicaPhase = 'ready' | 'loading' | 'crashed';

export interface ReplicaEvent {
  readonly atMs: number;
  readonly replica: number;
  readonly becomes: ReplicaPhase;
  readonly toldAfterMs: number;
  readonly coldMs: number;
}

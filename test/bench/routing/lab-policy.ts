import type { Clock, EngineReading, Random } from '@ai-fabric/shared';
import type { BatchEngine, EngineWork } from '../../simulators/batch-engine/batch-engine.js';
import type { LabReplica, ReplicaPhase } from './scenario/scenario.js';
import type { LabRequest } from './workload.js';

/** Why a request did not end well at a replica. */
export type SendFailure =
  /** Nothing listens there. */
  | 'refused'
  /** As many wait as may: no failure of the engine. */
  | 'full'
  /** The engine went away while it had the request. */
  | 'cut_off';

/** A way to spread requests over replicas. Told of everything that a router would be told, as late as it would. */
export interface LabPolicy {
  arrive(request: LabRequest): void;
  /** Of a request that streams. */
  firstToken?(request: LabRequest, replica: number): void;
  /** Of a request that streams, tokens after the first; told where the policy hears of them. */
  furtherTokens?(request: LabRequest, count: number): void;
  whole?(request: LabRequest, replica: number): void;
  /** What was sent came back; where `mayRetry` is true nothing of an answer has reached the client. */
  failed(request: LabRequest, replica: number, failure: SendFailure, mayRetry: boolean): void;
  reading?(replica: number, reading: EngineReading): void;
  phase?(replica: number, phase: 'ready' | 'loading'): void;
}

/** What a policy may do, and what it may know from the start. */
export interface LabPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly replicas: readonly LabReplica[];
  /** As the policies have been told. */
  isReady(replica: number): boolean;
  /** Sends a request to an engine. What comes of it is told later, never before this returns. */
  send(request: LabRequest, replica: number): void;
  /** The request is given up: the client gets an error. */
  giveUp(request: LabRequest): void;
  /** Runs something when the event under way is done, as a microtask would. */
  defer(run: () => void): void;
  /** What nobody can know but an oracle. */
  readonly truth: LabTruth;
}

export interface LabTruth {
  engine(replica: number): BatchEngine<EngineWork>;
  phase(replica: number): ReplicaPhase;
}

export interface NamedPolicy {
  readonly name: string;
  /** It is told of tokens, at most a quarter of a second late. */
  readonly hearsTokens?: boolean;
  create(port: LabPort): LabPolicy;
}

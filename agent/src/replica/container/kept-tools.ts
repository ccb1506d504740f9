import type { Clock, Random, VllmReplica } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { ContainerEngine } from '../../containers/container-engine.js';
import type { EngineAddress } from '../engine-address.js';
import type { EngineProbe } from '../engine-probe.js';
import type { ContainerCensus } from './container-census.js';
import type { EngineSleep } from './engine-sleep.js';
import type { InFlight } from './in-flight.js';
import type { ReplicaMemory } from './replica-memory.js';
import type { ReplicaRecipe } from './replica-recipe.js';

/** What all keepers of containers share on a host. */
export interface KeptTools {
  readonly engine: ContainerEngine;
  readonly census: ContainerCensus;
  readonly memory: ReplicaMemory;
  readonly recipe: ReplicaRecipe;
  readonly hostId: string;
  readonly inFlight: InFlight;
  readonly host: HostView;
  readonly storage: StorageView;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A free port of loopback. */
  readonly findPort: () => Promise<number>;
  readonly openProbe: (address: EngineAddress) => EngineProbe;
  readonly openSleep: (address: EngineAddress) => EngineSleep;
}

/** What is known of the host right now; `null` is unknown. */
export interface HostView {
  /** Resolves when it is known which cards there are. */
  readonly cardsAsked: () => Promise<void>;
  memoryFreeBytes(): number | null;
  /** Used memory of a card. */
  vramUsedBytes(card: string): number | null;
}

/** Where the container engine keeps images and models. */
export interface StorageView {
  /** What pulling an image fetches, by its registry. Never rejects. @returns bytes; `null` where it does not tell */
  imageBytes(image: string, signal: AbortSignal): Promise<number | null>;
  /** Never rejects. */
  room(signal: AbortSignal): Promise<StorageRoom>;
  /** What of a model is in the cache, and how much room there is beside it. Never rejects. @returns `null` where nobody can tell */
  weights(desired: VllmReplica, signal: AbortSignal): Promise<WeightsInCache | null>;
}

export interface StorageRoom {
  /** `null` where it cannot be seen from the host. */
  readonly freeBytes: number | null;
  /** A file on a drive that grows with what is in it: Docker Desktop's. */
  readonly virtualDisk: boolean;
}

/** In bytes; `null` is not known. */
export interface WeightsInCache {
  /** All that it loads is here. */
  readonly complete: boolean;
  readonly weightBytes: number | null;
  readonly missingBytes: number | null;
  /** As seen from within a container. */
  readonly freeBytes: number | null;
}

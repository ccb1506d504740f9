import type { Clock, Random } from '@ai-fabric/shared';
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

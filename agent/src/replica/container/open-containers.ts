import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { ContainerEngine, ContainerEngineProbe } from '../../containers/container-engine.js';
import { HelperContainers } from '../../containers/helper-containers.js';
import { type PrivateFiles, StateFileError } from '../../identity/private-files.js';
import { engineUrl } from '../engine-address.js';
import { engineProbe } from '../engine-probe.js';
import { ContainerCensus } from './container-census.js';
import { engineSleep } from './engine-sleep.js';
import { findFreePort } from './find-free-port.js';
import { gatherTimers } from './gather-timers.js';
import type { InFlight } from './in-flight.js';
import type { HostView, KeptTools, StorageView } from './kept-tools.js';
import { ReplicaMemory } from './replica-memory.js';
import type { ReplicaRecipe } from './replica-recipe.js';

export interface ContainersOptions {
  readonly engine: ContainerEngine;
  readonly openRecipe: (memory: ReplicaMemory) => ReplicaRecipe;
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  readonly hostId: string;
  readonly inFlight: InFlight;
  readonly host: HostView;
  /** By default nothing is known of it. */
  readonly openStorage?: (parts: StorageParts) => StorageView;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called when the orphans are others than before. */
  readonly onOrphans: () => void;
  /** Called with what comes of each look for the engine. */
  readonly onProbed?: (probe: ContainerEngineProbe) => void;
}

export interface StorageParts extends Pick<KeptTools, 'census' | 'recipe' | 'hostId'> {
  readonly helpers: HelperContainers;
}

/** What keeps the containers of a host, and is closed after its keepers. */
export interface Containers {
  readonly tools: KeptTools;
  readonly helpers: HelperContainers;
  close(): Promise<void>;
}

/** @throws StateFileError where what is remembered of the replicas is damaged */
export async function openContainers(options: ContainersOptions): Promise<Containers> {
  const { engine, stateDirectory, files, hostId, inFlight, host, clock, random, log } = options;
  const { onOrphans, onProbed } = options;
  const memory = await ReplicaMemory.open(stateDirectory, files, log);
  const helpers = new HelperContainers({ engine, hostId, log });
  const census = new ContainerCensus({
    ...{ engine, hostId, clock, log, onOrphans },
    hasAdopted: (deployment) => memory.replica(deployment).adoptedId !== null,
    onProbed: (probe) => {
      if (probe.reachable) void helpers.sweep();
      onProbed?.(probe);
    },
  });
  const recipe = options.openRecipe(memory);
  const gathered = gatherTimers(clock);
  return {
    helpers,
    tools: {
      ...{ engine, census, memory, recipe, hostId, inFlight, host, random, log, clock: gathered },
      storage: options.openStorage?.({ census, recipe, hostId, helpers }) ?? unknownStorage,
      findPort: findFreePort,
      openProbe: (address) => engineProbe({ url: engineUrl(address), key: address.key }, gathered),
      openSleep: (address) => engineSleep(address, gathered),
    },
    close: async () => {
      await census.close();
      await engine.close();
      await memory.flush().catch((error: unknown) => {
        if (!(error instanceof StateFileError)) throw error;
        log.warn({ error: error.message }, 'replicas: what was learnt of them could not be kept');
      });
    },
  };
}

const unknownStorage: StorageView = {
  imageBytes: () => Promise.resolve(null),
  room: () => Promise.resolve({ freeBytes: null, virtualDisk: false }),
  weights: () => Promise.resolve(null),
};

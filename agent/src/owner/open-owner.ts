import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PrivateFiles } from '../identity/private-files.js';
import type { ReplicaKeepers } from '../replica/replica-keepers.js';
import type { Sensors } from '../sensors/open-sensors.js';
import { type OwnReplicasParts, ownReplicas } from './own-replicas.js';
import { OwnerDesk, type OwnerDeskOptions } from './owner-desk.js';
import { OwnerMemory } from './owner-memory.js';

export interface OpenOwnerOptions
  extends Pick<OwnReplicasParts, 'memory' | 'inFlight'>,
    Pick<OwnerDeskOptions, 'ownYield' | 'onChange'> {
  readonly sensors: Pick<Sensors, 'sessions' | 'gpuProcesses'>;
  readonly replicas: ReplicaKeepers;
  readonly stateDirectory: string;
  readonly files: PrivateFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws StateFileError where others can read what is kept of the owner */
export async function openOwner(options: OpenOwnerOptions): Promise<OwnerDesk> {
  const { stateDirectory, files, replicas, memory, inFlight, sensors, ...more } = options;
  return new OwnerDesk({
    ...more,
    replicas,
    sessions: () => sensors.sessions(),
    listProcesses: (signal) => sensors.gpuProcesses(signal),
    memory: await OwnerMemory.open(stateDirectory, files, options.log),
    own: ownReplicas({ replicas, memory, inFlight }),
  });
}

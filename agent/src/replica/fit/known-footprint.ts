import type { VllmReplica } from '@ai-fabric/shared';
import type { ReplicaMemory } from '../container/replica-memory.js';
import { footprintName } from './footprint-name.js';

/** What a replica takes of a card when it runs, by what was measured before. @returns bytes; `null`: never measured */
export function knownFootprint(memory: ReplicaMemory, card: string, replica: VllmReplica): number | null {
  const name = footprintName(replica, memory.replica(replica.deployment).rung?.count ?? 0);
  return memory.footprint(card, name) ?? memory.footprintOfModel(card, replica.model);
}

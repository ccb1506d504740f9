import type { InFlight } from '../replica/container/in-flight.js';
import type { ReplicaMemory } from '../replica/container/replica-memory.js';
import { knownFootprint } from '../replica/fit/known-footprint.js';
import type { ReplicaKeepers } from '../replica/replica-keepers.js';
import type { OwnReplica } from './decide/describe-own-use.js';

export interface OwnReplicasParts {
  readonly replicas: Pick<ReplicaKeepers, 'isWished' | 'retiring' | 'desired' | 'statuses' | 'readings'>;
  /** `null`: this host keeps no containers. */
  readonly memory: ReplicaMemory | null;
  readonly inFlight: Pick<InFlight, 'count'>;
}

/** What of a card may be ours, as it is kept and read anyway. `null`: what is wished of this host is not known yet. */
export function ownReplicas({
  replicas,
  memory,
  inFlight,
}: OwnReplicasParts): (card: string) => readonly OwnReplica[] | null {
  return (card) => {
    if (!replicas.isWished) return null;
    const readings = replicas.readings();
    const statuses = new Map(replicas.statuses().map((status) => [status.deployment, status]));
    const kept = replicas.desired().map((desired): OwnReplica => {
      const { deployment } = desired;
      const status = statuses.get(deployment);
      const { running = 0, waiting = 0 } = readings[deployment] ?? {};
      const isKept = desired.engine === 'vllm' && memory !== null;
      return {
        deployment,
        phase: status?.phase ?? 'absent',
        external: desired.engine === 'external',
        run: `${status?.container?.id ?? ''} ${status?.container?.startedAtMs ?? ''}`,
        cards: isKept ? memory.replica(deployment).cards : [],
        footprintBytes: isKept ? knownFootprint(memory, card, desired) : null,
        busy: (running ?? 0) + (waiting ?? 0) > 0 || inFlight.count(deployment) > 0,
      };
    });
    return [...kept, ...replicas.retiring.map(leaving)];
  };
}

/** Until nothing is left of it, it may be on any card. */
function leaving(deployment: string): OwnReplica {
  return {
    ...{ deployment, phase: 'stopping', external: false, run: '' },
    ...{ cards: [], footprintBytes: null, busy: false },
  };
}

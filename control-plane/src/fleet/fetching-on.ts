import type { ReplicaPhase } from '@ai-fabric/shared';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import type { FleetLive } from './fleet-parts.js';

/** @returns the deployment whose image or weights are fetched on a host now; `null`: none is */
export function fetchingOn(
  host: string,
  live: Pick<FleetLive, 'replicas'>,
  deployments: ReadonlyMap<string, DeclaredDeployment>,
): string | null {
  for (const { host: on, deployment, status } of live.replicas()) {
    if (on === host && isFetching(deployments.get(deployment), status.phase)) return deployment;
  }
  return null;
}

/** Weights are fetched by the engine itself while it loads. One that others run says no more than that it does not answer. */
function isFetching(deployment: DeclaredDeployment | undefined, phase: ReplicaPhase): boolean {
  return phase === 'pulling' || (phase === 'loading' && deployment?.engine === 'vllm');
}

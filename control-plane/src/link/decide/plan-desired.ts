import type { CommandOf, DesiredReplica } from '@ai-fabric/shared';
import type { DeclaredState } from '../../declared/declared-state.js';

/** What one `apply_desired` carries; the wire takes no more. */
export const MAX_DESIRED_REPLICAS = 64;

/** The command that tells a host's agent what to keep. Replicas beyond the wire's limit are left out, and counted. */
export function planDesired(
  declared: DeclaredState,
  hostName: string,
): { readonly command: CommandOf<'apply_desired'>; readonly leftOut: number } {
  const replicas: DesiredReplica[] = [];
  for (const deployment of declared.deployments.values()) {
    if (deployment.host !== hostName) continue;
    const { name, task, engine, url, servedModel } = deployment;
    replicas.push({ deployment: name, task, engine, url, servedModel });
  }
  return {
    command: {
      name: 'apply_desired',
      revision: declared.revision,
      replicas: replicas.slice(0, MAX_DESIRED_REPLICAS),
    },
    leftOut: Math.max(0, replicas.length - MAX_DESIRED_REPLICAS),
  };
}

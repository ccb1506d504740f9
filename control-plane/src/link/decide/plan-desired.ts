import { CONTAINERS_PROTOCOL_VERSION, type CommandOf, type DesiredReplica } from '@ai-fabric/shared';
import { desiredReplica } from '../../declared/decide/desired-replica.js';
import type { DeclaredState } from '../../declared/declared-state.js';

/** What one `apply_desired` carries; the wire takes no more. */
export const MAX_DESIRED_REPLICAS = 64;

/** Of one command, well under what one frame carries. */
const MAX_DESIRED_CHARACTERS = 96 * 1024;

/**
 * The command that tells a host's agent what to keep. What it cannot be told is left out, and counted: what goes
 * beyond the wire's limits, and what an agent of an older protocol would refuse, and with it all the rest.
 */
export function planDesired(
  declared: DeclaredState,
  hostName: string,
  protocolVersion: number,
): { readonly command: CommandOf<'apply_desired'>; readonly leftOut: number } {
  const here = [...declared.deployments.values()].filter(({ host }) => host === hostName).map(desiredReplica);
  const replicas: DesiredReplica[] = [];
  let characters = 0;
  for (const replica of here) {
    const more = JSON.stringify(replica).length;
    if (replicas.length >= MAX_DESIRED_REPLICAS || characters + more > MAX_DESIRED_CHARACTERS) break;
    if (!isUnderstood(replica, protocolVersion)) continue;
    replicas.push(replica);
    characters += more;
  }
  return {
    command: { name: 'apply_desired', revision: declared.revision, replicas },
    leftOut: here.length - replicas.length,
  };
}

function isUnderstood({ engine, task }: DesiredReplica, protocolVersion: number): boolean {
  if (protocolVersion >= CONTAINERS_PROTOCOL_VERSION) return true;
  return engine === 'external' && (task === 'chat' || task === 'embeddings');
}

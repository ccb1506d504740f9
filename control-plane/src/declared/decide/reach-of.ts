import type { DeclaredDeployment } from '../declared-state.js';

/** How requests get to a deployment's engine: through its host's tunnel, or to an address of its own. */
export function reachOf(deployment: DeclaredDeployment): 'tunnel' | 'direct' {
  return deployment.engine === 'external' ? 'direct' : deployment.reach;
}

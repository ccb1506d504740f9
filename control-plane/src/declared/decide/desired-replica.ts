import type { DesiredReplica } from '@ai-fabric/shared';
import type { DeclaredDeployment } from '../declared-state.js';

/** What the agent of its host is asked to keep. What concerns clients and roles alone is not told: it changes nothing there. */
export function desiredReplica(deployment: DeclaredDeployment): DesiredReplica {
  if (deployment.engine === 'external') {
    const { name, task, engine, url, servedModel } = deployment;
    return { deployment: name, task, engine, url, servedModel };
  }
  const { name, host: _host, preset: _preset, cardGigabytes: _card, listed: _listed, ...more } = deployment;
  const { address: _address, capabilities: _capabilities, ...wished } = more;
  return {
    deployment: name,
    ...wished,
    extraArguments: [...wished.extraArguments],
    fallbacks: [...wished.fallbacks],
    environment: { ...wished.environment },
  };
}

/** The model by the name that its makers gave it: two replicas of one model give vectors that match. */
export function modelIdentity(deployment: DeclaredDeployment): string {
  return deployment.engine === 'vllm' ? deployment.model : deployment.servedModel;
}

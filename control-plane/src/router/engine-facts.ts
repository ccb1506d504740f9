import type { DeclaredDeployment, ResolvedModel } from '../declared/declared-state.js';
import type { LiveView } from '../live/live-view.js';
import type { EngineFacts } from './predict/decide/guess-rates.js';
import type { EngineIdentity } from './predict/learned-keeper.js';

/** What was asked for, by its declared name. */
export function nameOf(resolved: ResolvedModel): string {
  switch (resolved.kind) {
    case 'role':
      return resolved.role.name;
    case 'deployment':
      return resolved.deployment.name;
    case 'providerModel':
      return `${resolved.provider.name}/${resolved.model.name}`;
  }
}

export function engineFacts(deployment: DeclaredDeployment, live: LiveView): EngineFacts {
  const gpu = live.host(deployment.host)?.inventory?.gpus[0];
  const model = deployment.engine === 'vllm' ? deployment.model : deployment.servedModel;
  return { card: gpu?.name ?? null, cardMemoryBytes: gpu?.vramTotalBytes ?? null, model };
}

export function engineIdentity(deployment: DeclaredDeployment, live: LiveView): EngineIdentity {
  const { host } = deployment;
  if (deployment.engine === 'vllm') return { host, model: deployment.model, image: deployment.image };
  const version = live.replica(deployment.name)?.status.engineVersion ?? null;
  return {
    host,
    model: deployment.servedModel,
    image: version === null ? 'external' : `external ${version}`,
  };
}

import type { Task } from '@ai-fabric/shared';
import type { DeclaredState, ResolvedModel } from '../declared/declared-state.js';
import type { ListedModel } from './route-types.js';

export interface CatalogueEntry {
  readonly id: string;
  readonly kind: ListedModel['kind'];
  readonly resolved: ResolvedModel;
}

/**
 * What clients may send as `model`, in the order in which it is listed: roles, aliases, listed deployments,
 * providers' models. A deployment that is not listed has no name for clients, unless an alias gives it one.
 * Where a name is taken twice, the first in this order has it.
 */
export function modelCatalogue(state: DeclaredState): ReadonlyMap<string, CatalogueEntry> {
  const entries = new Map<string, CatalogueEntry>();
  const add = (id: string, kind: ListedModel['kind'], resolved: ResolvedModel): void => {
    if (!entries.has(id)) entries.set(id, { id, kind, resolved });
  };
  for (const role of state.roles.values()) add(role.name, 'role', { kind: 'role', role });
  for (const [alias, name] of state.aliases) {
    const resolved = resolveAlias(state, name);
    if (resolved !== undefined) add(alias, 'alias', resolved);
  }
  for (const deployment of state.deployments.values()) {
    if (deployment.listed) add(deployment.name, 'deployment', { kind: 'deployment', deployment });
  }
  for (const provider of state.providers.values()) {
    for (const model of provider.models.values()) {
      add(`${provider.name}/${model.name}`, 'providerModel', { kind: 'providerModel', provider, model });
    }
  }
  return entries;
}

function resolveAlias(state: DeclaredState, name: string): ResolvedModel | undefined {
  const role = state.roles.get(name);
  if (role !== undefined) return { kind: 'role', role };
  const deployment = state.deployments.get(name);
  return deployment === undefined ? undefined : { kind: 'deployment', deployment };
}

export function taskOf(resolved: ResolvedModel): Task {
  switch (resolved.kind) {
    case 'role':
      return resolved.role.task;
    case 'deployment':
      return resolved.deployment.task;
    case 'providerModel':
      return resolved.model.task;
  }
}

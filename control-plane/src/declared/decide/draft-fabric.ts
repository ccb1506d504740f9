import type { DeclaredDeployment } from '../declared-state.js';
import { entrySchemas, type FabricFile } from '../fabric-schema.js';
import { MAX_TARGETS } from '../role-entry-schema.js';
import { buildDeployment } from './build-deployment.js';
import { type DeploymentFields, readDeploymentFields } from './read-deployment-fields.js';

type Entries = { [Section in keyof typeof entrySchemas]: NonNullable<FabricFile[Section]>[string] };

/**
 * What can be made of a fabric file that may have mistakes: every entry is listed under its name, `null` where it
 * is not valid by itself, so that references can still be checked and one mistake does not breed others.
 */
export interface FabricDraft {
  readonly hosts: ReadonlyMap<string, Entries['hosts']>;
  readonly deployments: ReadonlyMap<string, DeclaredDeployment | null>;
  readonly providers: ReadonlyMap<string, ProviderDraft>;
  readonly roles: ReadonlyMap<string, RoleDraft>;
  readonly aliases: ReadonlyMap<string, string | null>;
  /** Of every deployment, those with mistakes too. */
  readonly deploymentFields: ReadonlyMap<string, DeploymentFields>;
}

export interface ProviderDraft {
  readonly models: ReadonlyMap<string, Entries['providers']['models'][string] | null>;
}

export interface RoleDraft {
  readonly task: Entries['roles']['task'] | null;
  readonly targets: readonly (Entries['roles']['targets'][number] | null)[];
  readonly entry: Entries['roles'] | null;
}

export function draftFabric(value: unknown): FabricDraft {
  const { hosts, deployments } = entrySchemas;
  return {
    hosts: mapEntries(field(value, 'hosts'), (entry) => hosts.safeParse(entry).data ?? null),
    deployments: mapEntries(field(value, 'deployments'), (each, name) => {
      const entry = deployments.safeParse(each).data;
      return entry === undefined ? null : buildDeployment(name, entry);
    }),
    providers: mapEntries(field(value, 'providers'), draftProvider),
    roles: mapEntries(field(value, 'roles'), draftRole),
    aliases: mapEntries(field(value, 'aliases'), (target) => (typeof target === 'string' ? target : null)),
    deploymentFields: mapEntries(field(value, 'deployments'), readDeploymentFields),
  };
}

function draftProvider(entry: unknown): ProviderDraft {
  const schema = entrySchemas.providers.shape.models.valueType;
  return { models: mapEntries(field(entry, 'models'), (model) => schema.safeParse(model).data ?? null) };
}

function draftRole(entry: unknown): RoleDraft {
  const { task, targets } = entrySchemas.roles.shape;
  const listed = field(entry, 'targets');
  return {
    task: task.safeParse(field(entry, 'task')).data ?? null,
    targets: Array.isArray(listed)
      ? listed.slice(0, MAX_TARGETS).map((target) => targets.element.safeParse(target).data ?? null)
      : [],
    entry: entrySchemas.roles.safeParse(entry).data ?? null,
  };
}

function mapEntries<Value>(
  section: unknown,
  read: (entry: unknown, name: string) => Value,
): Map<string, Value> {
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return new Map();
  return new Map(Object.entries(section).map(([name, entry]) => [name, read(entry, name)]));
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

import type {
  DailyHours,
  DeclaredBackup,
  DeclaredHost,
  DeclaredProvider,
  DeclaredProviderModel,
  DeclaredRole,
  DeclaredState,
  Target,
} from '../declared-state.js';
import type { FabricFileInput } from '../fabric-schema.js';
import { serialiseDeployment } from './build-deployment.js';
import { copied } from './order-capabilities.js';

type Section<Name extends keyof FabricFileInput> = NonNullable<FabricFileInput[Name]>;

/** `FabricFileInput` with every section there. */
export interface SerialisedFabric {
  version: 1;
  hosts: Section<'hosts'>;
  deployments: Section<'deployments'>;
  providers: Section<'providers'>;
  roles: Section<'roles'>;
  aliases: Section<'aliases'>;
  gateway: Section<'gateway'>;
  backup: Section<'backup'> | null;
  checks: Section<'checks'>;
  tariff: Section<'tariff'> | null;
}

/**
 * A declared state as the plain object that a fabric file holds. Defaults are written out, so that what is stored
 * keeps its meaning when a later program has other defaults.
 */
export function serialiseDeclaredState(state: DeclaredState): SerialisedFabric {
  return {
    version: 1,
    hosts: toRecord(state.hosts, serialiseHost),
    deployments: toRecord(state.deployments, serialiseDeployment),
    providers: toRecord(state.providers, serialiseProvider),
    roles: toRecord(state.roles, serialiseRole),
    aliases: toRecord(state.aliases, (target) => target),
    gateway: {
      allowedOrigins: [...state.gateway.allowedOrigins],
      extraHosts: [...state.gateway.extraHosts],
    },
    backup: serialiseBackup(state.backup),
    checks: state.checks,
    tariff: state.tariff,
  };
}

/** As it stands in a file. */
export function serialiseHost({
  name: _,
  wake,
  sleep,
  ...entry
}: DeclaredHost): NonNullable<Section<'hosts'>[string]> {
  return {
    ...entry,
    wake: { ...wake, quietHours: wake.quietHours.map(serialiseHours) },
    sleep: { ...sleep, awakeHours: sleep.awakeHours.map(serialiseHours) },
  };
}

function serialiseHours({ from, to, days }: DailyHours) {
  return { from, to, days: [...days] };
}

function serialiseBackup(backup: DeclaredBackup | null): Section<'backup'> | null {
  if (backup === null) return null;
  const { directory, schedule, keep, secrets } = backup;
  return { directory, ...schedule, keep, secrets };
}

function serialiseProvider(provider: DeclaredProvider): Section<'providers'>[string] {
  const { baseUrl, apiKey, endpoints, models } = provider;
  return { baseUrl, apiKey, endpoints: [...endpoints], models: toRecord(models, serialiseModel) };
}

type ProviderModelEntry = Section<'providers'>[string]['models'][string];

function serialiseModel({ name: _, capabilities, ...entry }: DeclaredProviderModel): ProviderModelEntry {
  return { ...entry, capabilities: copied(capabilities) };
}

function serialiseRole({ name: _, targets, ...entry }: DeclaredRole): Section<'roles'>[string] {
  return { ...entry, targets: targets.map(serialiseTarget) };
}

type TargetEntry = Section<'roles'>[string]['targets'][number];

/** As it stands in a file; `when` only where it asks for something, and then whole. */
function serialiseTarget(target: Target): TargetEntry {
  const when =
    target.when === null ? {} : { when: { ...target.when, capabilities: copied(target.when.capabilities) } };
  return target.kind === 'deployment'
    ? { deployment: target.deployment, ...when }
    : { provider: target.provider, model: target.model, ...when };
}

function toRecord<Entry, Value>(
  map: ReadonlyMap<string, Entry>,
  write: (entry: Entry) => Value,
): Record<string, Value> {
  return Object.fromEntries([...map].map(([name, entry]) => [name, write(entry)]));
}

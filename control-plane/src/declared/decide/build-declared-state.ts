import type {
  DeclaredBackup,
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  DeclaredRole,
  DeclaredState,
  Target,
  TargetCondition,
} from '../declared-state.js';
import type { FabricFile } from '../fabric-schema.js';
import { buildDeployment } from './build-deployment.js';
import { declareHost } from './declare-host.js';
import { inOrder } from './order-capabilities.js';

type Entry<Name extends 'providers' | 'roles'> = NonNullable<FabricFile[Name]>[string];

/** A valid fabric file as a value. Its revision is 0: the registry gives it one. */
export function buildDeclaredState(file: FabricFile): DeclaredState {
  return {
    revision: 0,
    hosts: mapRecord(file.hosts, (entry, name) => declareHost(name, entry ?? {})),
    deployments: buildDeployments(file.deployments),
    providers: mapRecord(file.providers, buildProvider),
    roles: mapRecord(file.roles, buildRole),
    aliases: mapRecord(file.aliases, (target) => target),
    gateway: {
      allowedOrigins: file.gateway?.allowedOrigins ?? [],
      extraHosts: (file.gateway?.extraHosts ?? []).map((host) => host.toLowerCase()),
    },
    backup: buildBackup(file.backup),
    checks: file.checks ?? { doctor: null, smoke: null, webhook: null },
    tariff: file.tariff ?? null,
  };
}

/** One that does not say what model it is was refused before. */
function buildDeployments(entries: FabricFile['deployments']): DeclaredState['deployments'] {
  const deployments = new Map<string, DeclaredDeployment>();
  for (const [name, entry] of Object.entries(entries ?? {})) {
    const deployment = buildDeployment(name, entry);
    if (deployment !== null) deployments.set(name, deployment);
  }
  return deployments;
}

/** What a registry holds before anything was declared. */
export function emptyDeclaredState(): DeclaredState {
  return buildDeclaredState({ version: 1 });
}

/** Left out, it is made every day. */
function buildBackup(entry: FabricFile['backup']): DeclaredBackup | null {
  if (!entry) return null;
  const { directory, everyHours, cron, keep, secrets } = entry;
  const schedule = cron === undefined ? { everyHours: everyHours ?? 24 } : { cron };
  return { directory, schedule, keep, secrets };
}

function buildProvider(entry: Entry<'providers'>, name: string): DeclaredProvider {
  return {
    name,
    baseUrl: withoutTrailingSlash(entry.baseUrl),
    apiKey: entry.apiKey,
    endpoints: entry.endpoints,
    models: mapRecord(
      entry.models,
      (model, short): DeclaredProviderModel => ({
        name: short,
        ...model,
        capabilities: inOrder(model.capabilities),
      }),
    ),
  };
}

function buildRole(entry: Entry<'roles'>, name: string): DeclaredRole {
  const targets = entry.targets.map((target): Target => {
    const when = buildCondition(target.when);
    return 'deployment' in target
      ? { kind: 'deployment', deployment: target.deployment, when }
      : { kind: 'provider', provider: target.provider, model: target.model, when };
  });
  return { name, ...entry, targets };
}

/** One that asks for nothing is none. */
function buildCondition(when: Entry<'roles'>['targets'][number]['when']): TargetCondition | null {
  if (when === undefined) return null;
  const { whenWaitExceeds, maxContext, capabilities, localOnly } = when;
  if (whenWaitExceeds === null && maxContext === null && capabilities === null && !localOnly) return null;
  return { whenWaitExceeds, maxContext, capabilities: inOrder(capabilities), localOnly };
}

function mapRecord<Entry, Value>(
  record: Readonly<Record<string, Entry>> | null | undefined,
  build: (entry: Entry, name: string) => Value,
): ReadonlyMap<string, Value> {
  return new Map(Object.entries(record ?? {}).map(([name, entry]) => [name, build(entry, name)]));
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

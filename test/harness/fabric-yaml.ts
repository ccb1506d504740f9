import type { Task } from '@ai-fabric/shared';
import { stringify } from 'yaml';

export interface DeploymentSpec {
  readonly host: string;
  readonly task?: Task;
  readonly url: string;
  readonly servedModel: string;
  readonly maxConcurrent?: number;
  readonly contextTokens?: number;
  readonly capabilities?: readonly string[];
  readonly listed?: boolean;
}

export interface ProviderSpec {
  readonly baseUrl: string;
  readonly apiKey?:
    | { readonly env: string }
    | { readonly file: string }
    | { readonly credential: string }
    | { readonly azureKeyVault: { readonly vault: string; readonly secret: string } };
  readonly endpoints?: readonly string[];
  readonly models: Readonly<Record<string, { readonly model: string; readonly task?: Task }>>;
}

export interface ConditionalTarget {
  readonly target: string;
  readonly when: {
    readonly whenWaitExceeds?: number;
    readonly maxContext?: number;
    readonly capabilities?: readonly string[];
    readonly localOnly?: boolean;
  };
}

export interface RoleSpec {
  readonly task?: Task;
  /** `name` of a deployment, or `provider/model`. */
  readonly targets: readonly (string | ConditionalTarget)[];
  readonly firstByteTimeoutSeconds?: number;
  readonly idleTimeoutSeconds?: number;
  readonly dimensions?: number;
  readonly totalTimeoutSeconds?: number;
  readonly patienceSeconds?: number;
  readonly longestPatienceSeconds?: number;
  readonly class?: string;
  readonly onAsleep?: string;
}

/** A fabric.yaml in short: what is left out is not there. */
export interface FabricSpec {
  readonly hosts?: Readonly<
    Record<string, { readonly mayBeAway?: boolean; readonly wake?: object; readonly sleep?: object }>
  >;
  readonly deployments?: Readonly<Record<string, DeploymentSpec>>;
  readonly providers?: Readonly<Record<string, ProviderSpec>>;
  readonly roles?: Readonly<Record<string, RoleSpec>>;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly checks?: object;
  readonly gateway?: { readonly allowedOrigins?: readonly string[]; readonly extraHosts?: readonly string[] };
}

/** The text of the file. */
export function fabricYaml(spec: FabricSpec): string {
  return stringify({
    version: 1,
    ...spec,
    deployments: mapValues(spec.deployments, (deployment) => ({
      task: 'chat',
      engine: 'external',
      ...deployment,
    })),
    roles: mapValues(spec.roles, (role) => ({ task: 'chat', ...role, targets: role.targets.map(target) })),
  });
}

function target(entry: string | ConditionalTarget): object {
  if (typeof entry === 'string') return nameTarget(entry);
  return { ...nameTarget(entry.target), when: entry.when };
}

function nameTarget(text: string): object {
  const slash = text.indexOf('/');
  if (slash < 0) return { deployment: text };
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

function mapValues<Value, Mapped>(
  record: Readonly<Record<string, Value>> | undefined,
  map: (value: Value) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, map(value)]));
}

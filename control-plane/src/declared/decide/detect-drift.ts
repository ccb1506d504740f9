import type { ReplicaStatus } from '@ai-fabric/shared';
import type { DeclaredDeployment, DeclaredState } from '../declared-state.js';

/** A host as it is, as far as it can differ from what is declared. */
export interface ObservedHost {
  readonly name: string;
  /** An agent has joined under this name. */
  readonly joined: boolean;
  /** Its link is there: what it reports is of now. */
  readonly present: boolean;
  readonly replicas: ReadonlyMap<string, ReplicaStatus>;
  /** Deployments that it reports and that are not declared on it. */
  readonly undeclared: readonly string[];
}

export interface HostDrift {
  readonly code:
    | 'host_never_joined'
    | 'host_not_declared'
    | 'replica_not_declared'
    | 'replica_not_reported'
    | 'replica_not_ready'
    | 'context_smaller';
  readonly host: string;
  readonly deployment: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
  /** In words for the operator, with the fix where there is one. */
  readonly message: string;
}

/**
 * Where hosts differ from what is declared. A host that is away differs in nothing by that: its replicas are not
 * looked at.
 */
export function detectDrift(declared: DeclaredState, hosts: Iterable<ObservedHost>): HostDrift[] {
  const byName = [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1));
  return byName.flatMap((host) => [
    ...driftOfHost(declared, host),
    ...(host.present ? driftOfReplicas(declared, host) : []),
  ]);
}

function driftOfHost(declared: DeclaredState, { name, joined }: ObservedHost): HostDrift[] {
  const isDeclared = declared.hosts.has(name);
  const of = { host: name, deployment: null };
  if (isDeclared && !joined) {
    const message = `host "${name}" is declared, and no agent has ever joined as it: ai-fabric token create --host ${name}`;
    return [{ code: 'host_never_joined', ...of, declared: name, observed: null, message }];
  }
  if (!isDeclared && joined) {
    const message = `host "${name}" has joined and is not declared: nothing is sent to it; add it under "hosts"`;
    return [{ code: 'host_not_declared', ...of, declared: null, observed: name, message }];
  }
  return [];
}

function driftOfReplicas(declared: DeclaredState, host: ObservedHost): HostDrift[] {
  const here = [...declared.deployments.values()].filter((each) => each.host === host.name);
  return [
    ...here.flatMap((deployment) => driftOfReplica(host, deployment)),
    ...host.undeclared.map((name) => undeclaredReplica(declared, host.name, name)),
  ];
}

function driftOfReplica(host: ObservedHost, deployment: DeclaredDeployment): HostDrift[] {
  const of = { host: host.name, deployment: deployment.name };
  const status = host.replicas.get(deployment.name);
  if (!status) {
    const message = `"${deployment.name}" is declared on "${host.name}", and its agent reports no replica of it`;
    return [
      { code: 'replica_not_reported', ...of, declared: deployment.servedModel, observed: null, message },
    ];
  }
  if (status.phase !== 'ready') {
    const message = `"${deployment.name}" is ${status.phase}${status.detail === null ? '' : `: ${status.detail}`}`;
    return [{ code: 'replica_not_ready', ...of, declared: 'ready', observed: status.phase, message }];
  }
  const { contextTokens } = deployment;
  if (contextTokens === null || status.maxModelLen === null || status.maxModelLen >= contextTokens) return [];
  const message =
    `"${deployment.name}" is declared with a context of ${contextTokens} tokens, and its engine takes ${status.maxModelLen}: ` +
    'start the engine with a longer one, or lower contextTokens';
  return [
    {
      code: 'context_smaller',
      ...of,
      declared: String(contextTokens),
      observed: String(status.maxModelLen),
      message,
    },
  ];
}

function undeclaredReplica(declared: DeclaredState, host: string, deployment: string): HostDrift {
  const elsewhere = declared.deployments.get(deployment)?.host;
  const where =
    elsewhere === undefined ? 'and no such deployment is declared' : `and it is declared on "${elsewhere}"`;
  return {
    code: 'replica_not_declared',
    host,
    deployment,
    declared: elsewhere ?? null,
    observed: host,
    message: `"${host}" reports a replica of "${deployment}", ${where}: it gets no requests`,
  };
}

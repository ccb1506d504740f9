import type { z } from '@hono/zod-openapi';
import type { LiveHost } from '../live/live-view.js';
import type { ApiContext } from './api-context.js';
import { showStatus } from './describe-deployment.js';
import { ApiError } from './problem.js';
import type { hostDetailSchema, hostSchema } from './schemas.js';

/** @throws ApiError not_found, with the names that are known */
export function findHost(context: ApiContext, name: string): LiveHost {
  const host = context.live.host(name);
  if (host) return host;
  const known = [...context.live.hosts()].map((each) => each.name).sort();
  throw new ApiError(
    'not_found',
    `no host is called "${name}"; known are: ${known.join(', ') || 'none yet'}`,
    known.length === 0
      ? 'join one: ai-fabric token create (POST /api/v1/join-tokens), then ai-fabric-agent join'
      : null,
  );
}

/** @throws ApiError not_found, also for a host that is declared and never joined */
export function findJoinedHost(context: ApiContext, name: string): LiveHost & { readonly hostId: string } {
  const host = findHost(context, name);
  if (host.hostId !== null) return { ...host, hostId: host.hostId };
  const fix = `join its agent first: ai-fabric token create --host ${name}`;
  throw new ApiError('not_found', `host "${name}" is declared but never joined`, fix);
}

export function describeHost(context: ApiContext, host: LiveHost): z.infer<typeof hostSchema> {
  const declaredHost = context.declared.current().hosts.get(host.name);
  return {
    ...host,
    declared: declaredHost !== undefined,
    mayBeAway: declaredHost?.mayBeAway ?? false,
    identityConflict: context.hostLife.conflict(host.name),
    newerAgent: context.installs.newerThan(host.agentVersion),
    issues: [...host.issues],
    orphans: [...host.orphans],
  };
}

/** Everything known of a host. */
export function describeHostInDetail(context: ApiContext, host: LiveHost): z.infer<typeof hostDetailSchema> {
  const declared = context.declared.current();
  const deployments = [...declared.deployments.values()].filter((each) => each.host === host.name);
  const record = context.hostLife.record(host.name);
  return {
    ...describeHost(context, host),
    identity: record?.identity ?? null,
    requestsInFlight: context.hostLife.requestsInFlight(new Set(deployments.map(({ name }) => name))),
    deployments: deployments.map(({ name, task, servedModel }) => ({
      ...{ name, task, servedModel },
      roles: [...declared.roles.values()]
        .filter(({ targets }) =>
          targets.some((target) => target.kind === 'deployment' && target.deployment === name),
        )
        .map((role) => role.name),
      status: showReplica(context, name),
    })),
    events: (record?.events ?? []).map((event) => ({ ...event })),
  };
}

function showReplica({ live }: ApiContext, deployment: string) {
  const replica = live.replica(deployment);
  return replica ? showStatus(replica.status) : null;
}

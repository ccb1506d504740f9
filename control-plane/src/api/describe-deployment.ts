import type { ReplicaStatus } from '@ai-fabric/shared';
import type { z } from '@hono/zod-openapi';
import { copied } from '../declared/decide/order-capabilities.js';
import { reachOf } from '../declared/decide/reach-of.js';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import type { ApiContext } from './api-context.js';
import type { deploymentSchema, shownStatusSchema } from './deployment-schemas.js';
import { usersOf } from './edit-deployment.js';

/** What is declared of a deployment, and everything observed of it. */
export function describeDeployment(
  context: ApiContext,
  deployment: DeclaredDeployment,
): z.infer<typeof deploymentSchema> {
  const { name, host } = deployment;
  const replica = context.live.replica(name);
  const liveHost = context.live.host(host);
  const facts = {
    observed: replica
      ? {
          status: showStatus(replica.status),
          phaseSinceMs: replica.phaseSinceMs,
          reading: replica.reading,
          readingAtMs: replica.readingAtMs,
        }
      : null,
    hostPresence: liveHost?.presence ?? ('unseen' as const),
    tunnelUp: reachOf(deployment) === 'tunnel' ? (liveHost?.tunnelUp ?? false) : null,
    issues: (liveHost?.issues ?? []).filter(({ subject }) => subject === name).map((issue) => ({ ...issue })),
    roles: [...usersOf(context, name).roles],
    learned: context.router.learnedOf(name),
  };
  const capabilities = copied(deployment.capabilities);
  if (deployment.engine === 'external') return { ...deployment, capabilities, ...facts };
  const { extraArguments, fallbacks, ...rest } = deployment;
  return { ...rest, capabilities, extraArguments: [...extraArguments], fallbacks: [...fallbacks], ...facts };
}

/** Without the engine's key. */
export function showStatus(status: ReplicaStatus): z.infer<typeof shownStatusSchema> {
  const { directKey: _, ...shown } = status;
  return shown;
}

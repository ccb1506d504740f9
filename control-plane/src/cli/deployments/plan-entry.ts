import { z } from 'zod';
import { applyPlanSchema, declaredSchema } from '../../api/declared-schemas.js';
import type { DeploymentEntry } from '../../declared/decide/edit-deployment.js';
import type { ApiClient } from '../api-client.js';
import { CliError, exitCodes } from '../exit-codes.js';
import type { Plan } from '../print-plan.js';

const joinedSchema = z.object({ hostId: z.string().nullable() });

/**
 * What declaring a deployment so would change, and what its agent would refuse; declares nothing.
 *
 * @param make of what stands there now, `null` where there is none, what is to stand there; what it throws is thrown
 */
export async function planEntry<Made extends { readonly entry: DeploymentEntry }>(
  client: ApiClient,
  name: string,
  make: (before: DeploymentEntry | null) => Made,
): Promise<{ readonly made: Made; readonly plan: Plan }> {
  const { document } = await client.get('/declared', declaredSchema);
  const sections = document as {
    readonly hosts?: Readonly<Record<string, unknown>>;
    readonly deployments?: Readonly<Record<string, DeploymentEntry>>;
  };
  const made = make(sections.deployments?.[name] ?? null);
  const planned = {
    ...document,
    hosts: { ...(await joinedHost(client, made.entry)), ...sections.hosts },
    deployments: { ...sections.deployments, [name]: made.entry },
  };
  const plan = await client.post('/declared/plan', { document: planned, prune: false }, applyPlanSchema);
  return { made, plan };
}

/** Its host as the control plane declares it with it, where that has joined and is not declared. */
async function joinedHost(client: ApiClient, { host }: DeploymentEntry): Promise<Record<string, object>> {
  if (typeof host !== 'string') return {};
  try {
    const { hostId } = await client.get(`/hosts/${encodeURIComponent(host)}`, joinedSchema);
    return hostId === null ? {} : { [host]: {} };
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.notFound) return {};
    throw error;
  }
}

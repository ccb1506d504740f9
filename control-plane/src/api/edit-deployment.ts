import type { DeploymentEntry, VerbVerdict } from '../declared/decide/edit-deployment.js';
import type { SerialisedFabric } from '../declared/decide/serialise-declared-state.js';
import type { ApiContext } from './api-context.js';
import { changeDeclared } from './change-declared.js';
import { findDeployment } from './find-deployment.js';
import { ApiError } from './problem.js';

/**
 * Puts an entry in a deployment's place; the whole is checked before it counts. Its host is declared with it where it
 * has joined: whoever had a host join by a line need not write a file first.
 */
export function putEntry(
  { live }: Pick<ApiContext, 'live'>,
  fabric: SerialisedFabric,
  name: string,
  entry: DeploymentEntry,
): void {
  fabric.deployments[name] = entry as SerialisedFabric['deployments'][string];
  const { host } = entry;
  if (typeof host === 'string' && live.host(host)?.hostId != null) fabric.hosts[host] ??= {};
}

/**
 * Edits what is declared of one deployment, in one transaction.
 *
 * @throws ApiError not_found, not_managed, invalid, conflict; RegistryError when it cannot be written
 */
export function editDeployment(
  context: ApiContext,
  name: string,
  judge: (entry: DeploymentEntry) => VerbVerdict,
  expectedRevision?: number,
): void {
  findDeployment(context, name);
  changeDeclared(
    context,
    (fabric) => {
      const verdict = judge({ ...fabric.deployments[name] });
      if (verdict.kind === 'refuse') throw new ApiError(verdict.code, verdict.detail, verdict.fix);
      putEntry(context, fabric, name, verdict.entry);
    },
    expectedRevision,
  );
}

/** Roles that may be served by it, and aliases that stand for it. */
export function usersOf(
  { declared }: Pick<ApiContext, 'declared'>,
  deployment: string,
): { readonly roles: readonly string[]; readonly aliases: readonly string[] } {
  const { roles, aliases } = declared.current();
  return {
    roles: [...roles.values()]
      .filter(({ targets }) =>
        targets.some((each) => each.kind === 'deployment' && each.deployment === deployment),
      )
      .map(({ name }) => name),
    aliases: [...aliases].filter(([, target]) => target === deployment).map(([alias]) => alias),
  };
}

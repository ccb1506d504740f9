import type { DeclaredDeployment } from '../declared/declared-state.js';
import type { ApiContext } from './api-context.js';
import { ApiError } from './problem.js';

/** @throws ApiError not_found, with the names that are known */
export function findDeployment({ declared }: Pick<ApiContext, 'declared'>, name: string): DeclaredDeployment {
  const { deployments } = declared.current();
  const deployment = deployments.get(name);
  if (deployment) return deployment;
  throw new ApiError(
    'not_found',
    `no deployment is called "${name}"; known are: ${[...deployments.keys()].join(', ') || 'none yet'}`,
  );
}

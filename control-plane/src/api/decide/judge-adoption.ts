import { z } from 'zod';
import { nearestNames } from '../../declared/decide/nearest-names.js';

/** What an agent tells of the containers of its host. */
export const seenContainersSchema = z.object({
  containers: z
    .array(z.object({ name: z.string().max(300), deployment: z.string().max(300).nullable() }))
    .max(500),
});
export type SeenContainer = z.infer<typeof seenContainersSchema>['containers'][number];

const MAX_NEAREST = 3;
const MAX_LISTED = 10;

/** Why a container of a host cannot be adopted; `null`: it can, as far as its name tells. */
export function judgeAdoption(
  host: string,
  container: string,
  seen: readonly SeenContainer[],
): { readonly code: 'not_found' | 'in_use'; readonly detail: string } | null {
  const found = seen.find(({ name }) => name === container);
  if (found === undefined) {
    const free = seen.filter(({ deployment }) => deployment === null).map(({ name }) => name);
    return {
      code: 'not_found',
      detail: `there is no container "${container}" on host "${host}"${describeNearest(container, free)}`,
    };
  }
  if (found.deployment === null) return null;
  const detail = `the container "${container}" on host "${host}" is that of the deployment "${found.deployment}"`;
  return { code: 'in_use', detail };
}

function describeNearest(container: string, names: readonly string[]): string {
  const nearest = nearestNames(container, names, MAX_NEAREST);
  if (nearest.length > 0) return `; did you mean ${nearest.join(', ')}?`;
  if (names.length === 0) return '; there is none to adopt';
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : '';
  return `; there are: ${names.slice(0, MAX_LISTED).join(', ')}${more}`;
}

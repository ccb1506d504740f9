import type { z } from 'zod';
import type { roleSchema } from '../api/schemas.js';

type Target = z.infer<typeof roleSchema>['targets'][number];

/**
 * A role's targets in one line: `a | b → openai/cheap`. Deployments that stand next to each other compete; what stands
 * behind an arrow is asked only when nothing before it can serve.
 */
export function describeTargets(targets: readonly Target[]): string {
  let text = '';
  let before: Target | null = null;
  for (const target of targets) {
    const competes = before !== null && 'deployment' in before && 'deployment' in target;
    text += `${before === null ? '' : competes ? ' | ' : ' → '}${nameOf(target)}`;
    before = target;
  }
  return text;
}

function nameOf(target: Target): string {
  return 'deployment' in target ? target.deployment : `${target.provider}/${target.model}`;
}

import type { z } from 'zod';
import type { roleSchema } from '../api/schemas.js';

type Target = z.infer<typeof roleSchema>['targets'][number];

/**
 * A role's targets in one line: `a | b → openai/cheap`. Deployments that stand next to each other compete; what stands
 * behind an arrow is asked only when nothing before it can serve, or not as soon as it says.
 */
export function describeTargets(targets: readonly Target[]): string {
  let text = '';
  let before: Target | null = null;
  for (const target of targets) {
    const competes =
      before !== null &&
      'deployment' in before &&
      'deployment' in target &&
      opensAfter(before) === opensAfter(target);
    text += `${before === null ? '' : competes ? ' | ' : ' → '}${nameOf(target)}`;
    before = target;
  }
  return text;
}

function opensAfter({ when }: Target): number | null {
  return when?.whenWaitExceeds ?? null;
}

function nameOf(target: Target): string {
  const name = 'deployment' in target ? target.deployment : `${target.provider}/${target.model}`;
  const conditions = describeConditions(target.when);
  return conditions === '' ? name : `${name} (${conditions})`;
}

function describeConditions(when: Target['when']): string {
  if (when === undefined) return '';
  const parts: string[] = [];
  if (when.whenWaitExceeds !== null) parts.push(`wait > ${when.whenWaitExceeds} s`);
  if (when.maxContext !== null) parts.push(`≤ ${when.maxContext} tokens`);
  if (when.capabilities !== null) parts.push(`for ${when.capabilities.join(' or ')}`);
  if (when.localOnly) parts.push('local only');
  return parts.join(', ');
}

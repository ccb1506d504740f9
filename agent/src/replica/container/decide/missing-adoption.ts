import { clipText } from '../../../sensors/decide/describe-issue.js';
import { type Trouble, trouble } from './container-trouble.js';

const MAX_NEAR = 3;
/** Comparing costs the product of both lengths. */
const MAX_COMPARED = 64;

/** The container that is to be adopted is not there. `near`: names that are, nearest first. */
export function missingAdoption(name: string, near: readonly string[]): Trouble {
  const seen =
    near.length === 0 ? 'There is none on this host.' : `Nearest of those that are: ${near.join(', ')}.`;
  return trouble(
    'container_not_found',
    clipText(`The container ${name}, which is to be adopted, is not there. ${seen}`, 400),
    {
      fix: `Correct the name: ai-fabric deployments adopt DEPLOYMENT --container NAME; or start ${name} on the host.`,
    },
  );
}

/** The names that are most like the one that was asked for, nearest first. Case counts for nothing. */
export function nearestContainers(name: string, known: readonly string[]): string[] {
  const wanted = name.slice(0, MAX_COMPARED).toLowerCase();
  return known
    .map((each) => ({ each, steps: editSteps(wanted, each.slice(0, MAX_COMPARED).toLowerCase()) }))
    .sort((one, other) => one.steps - other.steps || one.each.localeCompare(other.each))
    .slice(0, MAX_NEAR)
    .map(({ each }) => each);
}

/** Levenshtein's distance. */
function editSteps(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const kept = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(kept, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

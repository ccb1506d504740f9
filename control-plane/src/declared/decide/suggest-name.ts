import { describeText, looksSecret } from './describe-value.js';
import { nearestNames } from './nearest-names.js';

const MAX_LISTED = 10;

/** The end of a sentence about an unknown name: the nearest known one, else what is known. */
export function suggestName(name: string, known: Iterable<string>): string {
  const names = [...known].filter((each) => !looksSecret(each));
  const [nearest] = nearestNames(name, names);
  if (nearest !== undefined) return `; did you mean ${describeText(nearest)}?`;
  if (names.length === 0) return '; none is declared';
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : '';
  return `; known: ${names.slice(0, MAX_LISTED).join(', ')}${more}`;
}

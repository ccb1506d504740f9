import { distance } from 'fastest-levenshtein';

const SEPARATORS = /[\s._:/-]/g;
/** A name that is the start of another, as "qwen2.5" of "qwen2.5-7b-armitage", is near however long the rest. */
const MIN_PREFIX = 3;
/** Comparing costs the product of both lengths. */
const MAX_COMPARED = 128;

/**
 * Known names that somebody who wrote `name` may have meant, nearest first; ties in the order of `known`. Case and
 * separators count for nothing; beyond them a third of the letters may differ.
 */
export function nearestNames(name: string, known: Iterable<string>, limit = 1): string[] {
  const wanted = simplify(name);
  if (wanted === '') return [];
  const near: { name: string; score: number }[] = [];
  for (const candidate of known) {
    const other = simplify(candidate);
    const score = distance(wanted, other);
    const allowed = Math.max(2, Math.floor(Math.min(wanted.length, other.length) / 3));
    if (score <= Math.min(allowed, wanted.length - 1)) near.push({ name: candidate, score });
    else if (isPrefix(wanted, other)) near.push({ name: candidate, score });
  }
  near.sort((a, b) => a.score - b.score);
  return near.slice(0, limit).map((each) => each.name);
}

function simplify(name: string): string {
  return name.slice(0, MAX_COMPARED).toLowerCase().replace(SEPARATORS, '');
}

function isPrefix(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= MIN_PREFIX && long.startsWith(short);
}

/** Rows from one sequence to another, both included. */
export interface IdRange {
  readonly first: number;
  readonly last: number;
}

/** Newest first, without overlap, nothing outside of `within`. */
export function mergeRanges(ranges: readonly IdRange[], within: IdRange): IdRange[] {
  const clipped = ranges
    .map(({ first, last }) => ({
      first: Math.max(first, within.first),
      last: Math.min(last, within.last),
    }))
    .filter(({ first, last }) => first <= last)
    .sort((one, other) => other.last - one.last);
  const merged: IdRange[] = [];
  for (const range of clipped) {
    const newer = merged.at(-1);
    if (newer === undefined || range.last < newer.first - 1) merged.push(range);
    else merged[merged.length - 1] = { first: Math.min(newer.first, range.first), last: newer.last };
  }
  return merged;
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

interface Version {
  readonly numbers: readonly number[];
  /** Of a version before the one that it is named after; none of that one itself. */
  readonly before: readonly string[];
}

/**
 * Which of two versions is the later one, by the precedence of Semantic Versioning 2.0.0 (section 11).
 *
 * @returns below 0 where `one` is the earlier, above 0 where it is the later, 0 where neither is; `null`: one of them is no version
 */
export function compareVersions(one: string, other: string): number | null {
  const [left, right] = [readVersion(one), readVersion(other)];
  if (left === null || right === null) return null;
  for (const [at, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[at] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return comparePreReleases(left.before, right.before);
}

function readVersion(text: string): Version | null {
  const [, major, minor, patch, before] = VERSION.exec(text) ?? [];
  if (major === undefined) return null;
  return { numbers: [major, minor, patch].map(Number), before: before?.split('.') ?? [] };
}

function comparePreReleases(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return Math.sign(other.length - one.length);
  for (const [at, part] of one.entries()) {
    const against = other[at];
    if (against === undefined) return 1;
    const difference = compareParts(part, against);
    if (difference !== 0) return difference;
  }
  return Math.sign(one.length - other.length);
}

/** Numbers by their value and before words; words by their letters. */
function compareParts(one: string, other: string): number {
  const isNumber = (text: string) => /^\d+$/.test(text);
  if (isNumber(one) && isNumber(other)) return Math.sign(Number(one) - Number(other));
  if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1;
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

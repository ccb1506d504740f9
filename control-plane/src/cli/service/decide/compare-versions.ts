/**
 * Which of two versions is newer, by the rules of semantic versioning; what stands after "+" says nothing.
 *
 * @returns below 0: `a` is older; 0: the same; above 0: `a` is newer
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

function split(version: string): { readonly numbers: readonly number[]; readonly prerelease: string[] } {
  const [core = '', ...rest] = (version.split('+', 1)[0] ?? '').split('-');
  const numbers = core.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : 0));
  return { numbers, prerelease: rest.length === 0 ? [] : rest.join('-').split('.') };
}

/** One without is the finished one, and newer. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at], b[at]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left === right) continue;
    const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

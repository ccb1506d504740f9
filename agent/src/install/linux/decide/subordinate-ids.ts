const COUNT = 65_536;
/** Above what tools of the system give to people's accounts. */
const FIRST = 2_000_000;

/**
 * Ids for an account's containers that nobody else has: who shared one could get at the other's files.
 *
 * @param file `/etc/subuid` or `/etc/subgid`
 * @returns as usermod takes them, `2000000-2065535`; `null` where the account has some
 */
export function chooseSubordinateIds(file: string, account: string): string | null {
  const taken = file.split('\n').flatMap((line) => {
    const [, owner, first, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return owner === undefined ? [] : [{ owner, first: Number(first), end: Number(first) + Number(count) }];
  });
  if (taken.some(({ owner }) => owner === account)) return null;
  let free = FIRST;
  for (const { first, end } of taken.sort((one, other) => one.first - other.first)) {
    if (first < free + COUNT && end > free) free = end;
  }
  return `${free}-${free + COUNT - 1}`;
}

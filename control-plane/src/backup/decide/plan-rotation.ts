const NAME = /^ai-fabric-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.backup$/;

/** The name of a scheduled backup, by which it is known later: others in its directory are not ours to delete. */
export function backupName(madeAtMs: number): string {
  return `ai-fabric-${new Date(madeAtMs).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
}

/** @returns when a backup of this name was made, `null` for a file that is none of ours */
export function backupTimeMs(name: string): number | null {
  const [, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  if (year === undefined) return null;
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(atMs) ? null : atMs;
}

/** The scheduled backups among the files of a directory, newest first. */
export function listBackups(names: readonly string[]): readonly { name: string; madeAtMs: number }[] {
  return names
    .flatMap((name) => {
      const madeAtMs = backupTimeMs(name);
      return madeAtMs === null ? [] : [{ name, madeAtMs }];
    })
    .sort((one, other) => other.madeAtMs - one.madeAtMs);
}

/** While it is made, and when that was cut short. */
export const DRAFT_SUFFIX = '.tmp';

/** Those that are too many now, and drafts that nobody finished. The newest backup is never among them. */
export function planRotation(names: readonly string[], keep: number): readonly string[] {
  const excess = listBackups(names).slice(Math.max(1, keep));
  const isDraft = (name: string): boolean =>
    name.endsWith(DRAFT_SUFFIX) && backupTimeMs(name.slice(0, -DRAFT_SUFFIX.length)) !== null;
  return [...excess.map(({ name }) => name), ...names.filter(isDraft)];
}

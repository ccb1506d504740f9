import { readdirSync, readlinkSync } from 'node:fs';

/** Files in a directory that this process has open, also those that have no name any more. Linux alone. */
export function openFilesIn(directory: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(`${directory}/`);
    } catch {
      // Closed meanwhile.
      return false;
    }
  }).length;
}

export interface FileFacts {
  readonly file: string;
  /** `null`: it is there, and could not be looked at. */
  readonly ownerId: number | null;
  readonly mode: number;
  /** Who runs this program; `null`: a system without such numbers, where the directory's access list guards the file. */
  readonly ownId: number | null;
  readonly sizeBytes: number;
}

const MOST_BYTES = 64 * 1024;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Whether a file that names programs may be believed: whoever can write it can run anything as this program. Written by the
 * machine's owner alone, so that a token of the control API never becomes a shell.
 *
 * @returns what is wrong with it and how to mend that; `null`: nothing
 */
export function judgeWakersFile({ file, ownerId, mode, ownId, sizeBytes }: FileFacts): string | null {
  if (sizeBytes > MOST_BYTES) return `${file} is larger than ${MOST_BYTES / 1024} KiB`;
  if (ownId === null) return null;
  if (ownerId !== 0 && ownerId !== ownId) {
    return `${file} belongs to another account, who could run anything through it: chown root ${file}`;
  }
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    return `${file} can be written by others, who could run anything through it: chmod go-w ${file}`;
  }
  return null;
}

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that its owner alone may read: whole or not at all. Whoever writes holds the data directory's lock,
 * so that no second process makes the same file.
 *
 * @throws the file system's error
 */
export function writePrivateFile(file: string, content: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

const OTHERS = 0o077;

/** Whether anybody but the owner may read a file. Windows has access lists instead, inherited from the directory: `guardDirectory`. */
export function isOpenToOthers(mode: number, platform: NodeJS.Platform): boolean {
  return platform !== 'win32' && (mode & OTHERS) !== 0;
}

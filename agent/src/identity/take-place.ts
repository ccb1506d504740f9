import { rename as renameFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const TRIES = 20;
const EVERY_MS = 250;
/** As Windows says that somebody has it open. */
const HELD: ReadonlySet<unknown> = new Set(['EPERM', 'EBUSY', 'EACCES']);

/**
 * Gives a file or folder the name of another, which it replaces. On Windows whoever reads it, a program that has just ended,
 * or a scanner holds it for a moment.
 */
export async function takePlace(
  beside: string,
  path: string,
  platform = process.platform,
  rename: (from: string, to: string) => Promise<void> = renameFile,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rename(beside, path);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (platform !== 'win32' || !HELD.has(code) || tries === TRIES) throw error;
      await pause(EVERY_MS);
    }
  }
}

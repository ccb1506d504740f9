import { chmod, copyFile, open, rename, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const RENAME_TRIES = 20;
const RENAME_EVERY_MS = 250;

/** Writes a file whole or not at all; it is on the disk when this returns. */
export async function writeWhole(path: string, content: string | Buffer, mode: number): Promise<void> {
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  const file = await open(beside, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
  await takePlace(beside, path);
}

/** Copies a file whole or not at all: a program that is cut off in its copying must not look like one. */
export async function copyWhole(from: string, path: string, mode: number): Promise<void> {
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  await copyFile(from, beside);
  await chmod(beside, mode | 0o200);
  // Windows lets only those who may write have a file written through.
  const file = await open(beside, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(beside, mode);
  await takePlace(beside, path);
}

/** On Windows a program that has just ended, or a scanner, holds a file for a moment. */
async function takePlace(beside: string, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rename(beside, path);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      const isHeld =
        process.platform === 'win32' && (code === 'EPERM' || code === 'EBUSY' || code === 'EACCES');
      if (!isHeld || tries === RENAME_TRIES) throw error;
      await pause(RENAME_EVERY_MS);
    }
  }
}

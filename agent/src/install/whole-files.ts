import { chmod, copyFile, open, rm } from 'node:fs/promises';
import { takePlace } from '../identity/take-place.js';

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

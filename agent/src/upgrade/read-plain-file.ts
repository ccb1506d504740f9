import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * Opens a file where somebody else may have put a link, a pipe or a device in its place: whoever is root must not be led to
 * another one.
 *
 * @returns `null` where there is none
 * @throws Error where it is no plain file
 */
export async function openPlainFile(
  path: string,
): Promise<{ readonly file: FileHandle; readonly bytes: number } | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new Error(`${path} cannot be read (${error.code})`, { cause: error });
  });
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is no plain file`);
    return { file, bytes: found.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @returns `null` where there is none @throws Error where it is no plain file, or has more than `maxBytes` */
export async function readPlainFile(path: string, maxBytes: number): Promise<Buffer | null> {
  const opened = await openPlainFile(path);
  if (opened === null) return null;
  try {
    if (opened.bytes > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
    // It may grow while it is read.
    const { buffer, bytesRead } = await opened.file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await opened.file.close();
  }
}

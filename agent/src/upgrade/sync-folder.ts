import { open } from 'node:fs/promises';

/** A name that was given or taken away outlasts a power cut from here on. Windows has no such call, and journals names by itself. */
export async function syncFolder(path: string, platform = process.platform): Promise<void> {
  if (platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

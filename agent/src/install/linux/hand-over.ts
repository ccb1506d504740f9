import { constants } from 'node:fs';
import { lchown, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;
const A_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Gives what root wrote in the agent's folder to the agent, which could not replace it otherwise. What is not root's
 * is left alone with all below it: a rootless engine's storage lies there, whose files have owners of their own.
 */
export async function handOver(folder: string, ids: Ids): Promise<void> {
  await handOverDirectory(folder, ids, true);
}

/**
 * The agent may change its folder meanwhile, so that a path leads elsewhere: names are looked up in a directory that is
 * held open, and no link is followed.
 *
 * @param isTop it is looked into whoever owns it
 */
async function handOverDirectory(path: string, ids: Ids, isTop: boolean): Promise<void> {
  const held = await open(path, A_DIRECTORY);
  try {
    const isRoots = (await held.stat()).uid === ROOT;
    if (!isRoots && !isTop) return;
    const here = `/proc/self/fd/${held.fd}`;
    for (const name of await readdir(here)) await handOverEntry(join(here, name), ids);
    // The directory comes after what it holds: one that this died in is root's still, and is begun again.
    if (isRoots) await held.chown(ids.uid, ids.gid);
  } finally {
    await held.close();
  }
}

async function handOverEntry(path: string, ids: Ids): Promise<void> {
  // A file that the agent was just writing may have its name already.
  const found = await lstat(path).catch(nullWhereGone);
  if (found?.uid !== ROOT) return;
  if (found.isDirectory()) await handOverDirectory(path, ids, false);
  else await lchown(path, ids.uid, ids.gid);
}

function nullWhereGone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadHostKey } from '../identity/host-key.js';
import type { PrivateFiles } from '../identity/private-files.js';
import { takePlace } from '../identity/take-place.js';

const KEY = 'host-key.pem';

/** Where a key waits that is to be the host's: the former one stays in its place until the host has joined with this one. */
export function newKeyFolder(folder: string): string {
  return join(folder, 'new-identity');
}

/** Makes it, in the place of one that an earlier install left. @param folder where the host's key is @throws StateFileError */
export async function makeNewKey(folder: string, files: PrivateFiles): Promise<void> {
  await dropNewKey(folder);
  await files.prepare(newKeyFolder(folder));
  await loadHostKey(newKeyFolder(folder), files);
}

/**
 * Joins with the new key, which is the host's from then on. Where that fails, the host is who it was.
 *
 * @param folder where the host's key is
 * @param show shows the key in `newKeyFolder` to the control plane
 * @returns what `show` does
 */
export async function joinWithNewKey(folder: string, show: () => Promise<string>): Promise<string> {
  try {
    const said = await show();
    await takePlace(join(newKeyFolder(folder), KEY), join(folder, KEY));
    return said;
  } finally {
    // One that stays is replaced by the next, and tells nobody anything: what became of the join is told.
    await dropNewKey(folder).catch(() => undefined);
  }
}

async function dropNewKey(folder: string): Promise<void> {
  await rm(newKeyFolder(folder), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

/** Of each kind: the last few, so that going back and forth between two sources makes nothing anew. */
const KEPT = 3;

/**
 * A folder that is there whole or not at all, made once for each key. What a packaging that was broken off left is
 * taken away.
 *
 * @param {string} shelf holds the folders of one kind
 * @param {string} key what it is made of, as a file name
 * @param {(folder: string) => Promise<void> | void} make fills the folder, which is empty
 * @returns {Promise<string>} the folder
 */
export async function keepFolder(shelf, key, make) {
  const folder = join(shelf, key);
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date());
    return folder;
  }
  mkdirSync(shelf, { recursive: true });
  forgetOld(shelf);
  const draft = join(shelf, `.${key}-${randomUUID()}`);
  mkdirSync(draft);
  try {
    await make(draft);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/**
 * All that was made of sources goes; what was fetched stays.
 *
 * @param {string} cache
 */
export function forgetMade(cache) {
  for (const shelf of ['artefacts', 'better-sqlite3'])
    rmSync(join(cache, shelf), { recursive: true, force: true });
}

/** @param {string} shelf */
function forgetOld(shelf) {
  const all = readdirSync(shelf).map((name) => ({
    path: join(shelf, name),
    isDraft: name.startsWith('.'),
    usedMs: statSync(join(shelf, name)).mtimeMs,
  }));
  const whole = all.filter(({ isDraft }) => !isDraft).sort((one, other) => other.usedMs - one.usedMs);
  const gone = [...all.filter(({ isDraft }) => isDraft), ...whole.slice(KEPT - 1)];
  for (const { path } of gone) rmSync(path, { recursive: true, force: true });
}

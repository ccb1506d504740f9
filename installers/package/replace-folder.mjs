import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupFailure } from '../checkout/setup-failure.mjs';

/**
 * A release folder, in the place of an older one, all at once: nobody ever sees half of it.
 *
 * @param {string} folder
 * @param {(draft: string) => void} fill
 * @throws {SetupFailure} where something else is there, which is let be
 */
export function replaceFolder(folder, fill) {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  if (there.length > 0 && !there.includes('manifest.json')) {
    throw new SetupFailure(
      `${folder} holds something that is no release. Choose another folder with --out.`,
      2,
    );
  }
  const draft = `${folder}.${process.pid}.draft`;
  const old = `${folder}.${process.pid}.old`;
  mkdirSync(dirname(folder), { recursive: true });
  try {
    mkdirSync(draft);
    fill(draft);
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(draft, folder);
  } finally {
    for (const left of [draft, old]) rmSync(left, { recursive: true, force: true });
  }
}

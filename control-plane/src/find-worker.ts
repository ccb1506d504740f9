import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of a worker: the bundled one, which starts in half the time. It cannot run TypeScript: from the sources, as
 * tests do, it is the one that was built last.
 *
 * @param path from this folder, such as `registry/reader-worker.js`; a bundle has all of them in one folder
 */
export function findWorker(path: string): URL {
  const own = fileURLToPath(import.meta.url);
  if (own.endsWith('.ts')) return new URL(`../dist/program/${basename(path)}`, import.meta.url);
  const bundled = import.meta.url.includes('/dist/program/');
  return new URL(`./${bundled ? '' : 'program/'}${basename(path)}`, import.meta.url);
}

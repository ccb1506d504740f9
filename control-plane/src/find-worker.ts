import { fileURLToPath } from 'node:url';

/**
 * The file of a worker. It cannot run TypeScript: from the sources, as tests do, it is the one that was built last.
 *
 * @param path from this folder, such as `registry/reader-worker.js`; a bundle has all of them in one folder
 */
export function findWorker(path: string): URL {
  const fromSource = fileURLToPath(import.meta.url).endsWith('.ts');
  if (fromSource) return new URL(`../dist/${path}`, import.meta.url);
  const bundled = import.meta.url.includes('/dist/program/');
  return new URL(`./${bundled ? path.slice(path.lastIndexOf('/') + 1) : path}`, import.meta.url);
}

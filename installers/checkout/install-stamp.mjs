import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The stamp lies in node_modules, so that whoever deletes that folder deletes the claim that it is whole.
 *
 * @param {string} root
 */
function stampFile(root) {
  return join(root, 'node_modules', '.ai-fabric-setup');
}

/**
 * What the installed packages depend on: every manifest, the lock file, and the Node that native parts were
 * built for. Two equal stamps need the same node_modules.
 *
 * @param {string} root
 * @param {string} runtime which Node and machine, see `currentRuntime`
 * @returns {string} hex SHA-256
 */
export function computeInstallStamp(root, runtime = currentRuntime()) {
  const hash = createHash('sha256').update(runtime);
  for (const path of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifestPaths(root)]) {
    // The name is hashed with its length before the content: moving text from one file to another is a change.
    const content = readFileSync(join(root, path));
    hash.update(`\n${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** @returns {string} the ABI that native parts are built for, the system and the processor */
function currentRuntime() {
  return `abi ${process.versions.modules} ${process.platform} ${process.arch}`;
}

/**
 * Whether the packages are installed as the checkout now wants them. Folders that someone deleted by hand
 * since are missed as well.
 *
 * @param {string} root
 * @param {string} wanted
 */
export function isInstalled(root, wanted) {
  if (!existsSync(stampFile(root)) || readFileSync(stampFile(root), 'utf8') !== wanted) return false;
  return manifestPaths(root).every((path) => existsSync(join(root, path, '..', 'node_modules')));
}

/**
 * Before an install the claim goes, so that one that is killed half-way is begun again.
 *
 * @param {string} root
 */
export function clearInstallStamp(root) {
  rmSync(stampFile(root), { force: true });
}

/**
 * @param {string} root
 * @param {string} stamp
 */
export function writeInstallStamp(root, stamp) {
  writeFileSync(stampFile(root), stamp);
}

/**
 * The root's manifest and those of the folders below it, two deep (`control-plane/dashboard`).
 *
 * @param {string} root
 * @returns {string[]} relative paths with forward slashes, sorted
 */
function manifestPaths(root) {
  const first = subfolders(root, '');
  const folders = ['', ...first, ...first.flatMap((folder) => subfolders(root, folder))];
  return folders
    .map((folder) => (folder === '' ? 'package.json' : `${folder}/package.json`))
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

/**
 * @param {string} root
 * @param {string} folder
 */
function subfolders(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .map((entry) => (folder === '' ? entry.name : `${folder}/${entry.name}`));
}

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Reached through npm, so that Node and npm are all a machine needs (corepack fails without its hosts). */
const pnpm = 'pnpm@12.21.0';

/**
 * Starts pnpm with its output piped.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @returns {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>}
 */
export function spawnPackageManager(root, args) {
  const call = ['exec', '--yes', `--package=${pnpm}`, '--', 'pnpm', ...args];
  const npm = findNpmScript();
  /** @type {import('node:child_process').SpawnOptionsWithStdioTuple<'ignore', 'pipe', 'pipe'>} */
  const options = { cwd: root, env: installEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] };
  // On Windows npm is a .cmd file, which Node starts through a shell alone; npm's own script avoids that.
  return npm === null
    ? spawn('npm', call, { ...options, shell: process.platform === 'win32' })
    : spawn(process.execPath, [npm, ...call], options);
}

/** @returns {string | null} npm's own script: of the npm that runs us, else of the one that came with Node */
function findNpmScript() {
  const running = process.env['npm_execpath'];
  if (running !== undefined && basename(running) === 'npm-cli.js') return running;
  const folder = dirname(process.execPath);
  const places = [join(folder, 'node_modules'), join(folder, '..', 'lib', 'node_modules')];
  return (
    places.map((place) => join(place, 'npm', 'bin', 'npm-cli.js')).find((file) => existsSync(file)) ?? null
  );
}

function installEnvironment() {
  const headers = findNodeHeaders(dirname(dirname(process.execPath)), process.versions.node);
  return headers === null ? process.env : { ...process.env, npm_config_nodedir: headers };
}

/**
 * Node's archives bring the header files that a native part is compiled against. Naming them spares node-gyp
 * a download, which not every network allows.
 *
 * @param {string} prefix the folder that holds `bin/node`
 * @param {string} version of the running Node
 * @returns {string | null} the prefix, if its headers are this Node's
 */
export function findNodeHeaders(prefix, version) {
  const file = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8');
  const found = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => text.match(`#define NODE_${part}_VERSION (\\d+)`)?.[1],
  );
  return found.join('.') === version ? prefix : null;
}

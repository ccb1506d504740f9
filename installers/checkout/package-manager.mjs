import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The one version that the lock file and `allowBuilds` in pnpm-workspace.yaml were written with. */
const version = '12.21.0';

/**
 * Runs a program of the set-up to its end.
 *
 * @typedef {(call: { file: string, args: readonly string[], cwd: string, shell?: boolean }) => Promise<void>} Run
 */

/**
 * Puts pnpm into a folder of this checkout and gives its program. Node and npm are all that a machine needs
 * for it (corepack fails without its hosts). `npx` would do the same into a folder that all of npm shares,
 * and one that was killed there half-way leaves it broken: the next one waits a minute for a dead lock, then
 * often fails.
 *
 * @param {string} folder of the checkout's own set-up files
 * @param {Run} run
 * @returns {Promise<string>}
 */
export async function providePackageManager(folder, run) {
  const home = join(folder, `pnpm-${version}`);
  const ready = join(home, 'ready');
  const wrapper = join(home, 'node_modules', 'pnpm');
  if (!existsSync(ready)) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--no-progress', '--prefer-offline'];
    // npm's own patience is over a minute of silence where there is no network at all.
    const patience = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000'];
    await run({
      ...npmCall(['install', '--ignore-scripts', ...quiet, ...patience, `pnpm@${version}`, '--prefix', home]),
      cwd: home,
    });
    // What pnpm's own install script does: it puts the program for this machine in place.
    await run({ file: process.execPath, args: ['install.js'], cwd: wrapper });
    writeFileSync(ready, '');
  }
  return join(wrapper, process.platform === 'win32' ? 'pnpm.exe' : 'pnpm');
}

/** @param {readonly string[]} args */
export function npmCall(args) {
  const script = findNpmScript();
  // On Windows npm is a .cmd file, which Node starts through a shell alone; npm's own script avoids that.
  return script === null
    ? { file: 'npm', args, shell: process.platform === 'win32' }
    : { file: process.execPath, args: [script, ...args] };
}

/** @returns {string | null} npm's own script: of the npm that runs us, else of the one that came with Node */
export function findNpmScript() {
  const running = process.env['npm_execpath'];
  if (running !== undefined && basename(running) === 'npm-cli.js') return running;
  const folder = dirname(process.execPath);
  const places = [join(folder, 'node_modules'), join(folder, '..', 'lib', 'node_modules')];
  return (
    places.map((place) => join(place, 'npm', 'bin', 'npm-cli.js')).find((file) => existsSync(file)) ?? null
  );
}
